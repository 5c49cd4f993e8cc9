"""Files on other machines: what they are called, how they are found, read and written.

`names` and `locations` say what a name means, `finding` what is there; `reading` and `writing` are the doors, whatever
the machine is. Behind them are `objects` for stores, `web` for web servers and `hub` for the datasets of Hugging Face.
"""
