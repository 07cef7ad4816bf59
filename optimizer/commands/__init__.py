"""The commands of the command line, a module for each subject.

Imports every room; only the front door (`cli`) imports it.
"""
