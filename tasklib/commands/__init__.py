"""What both front ends call: one function a command, from options as typed to an exit code.

Nothing here knows of Nox or Invoke. What is said goes to standard output, problems are raised.
"""
