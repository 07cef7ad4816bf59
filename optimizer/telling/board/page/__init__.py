"""One or more plans as one self-contained page: read, explored, printed, and every number held against its plan."""
