"""What is remembered between runs, in the user's state folder: records, locks, who is still alive."""
