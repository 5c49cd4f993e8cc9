"""Work that is done side by side, in this process and in others, and handed back in its order."""
