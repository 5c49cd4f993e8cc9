"""Files on other machines: what they are called, how they are found, read and written."""
