"""The company's money: debt, tax, treasury."""
