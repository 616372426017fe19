"""The command line: the door for people and scripts.

- the program: every command, and what becomes of errors -> `main`
- what each command does -> `commands`
- what commands print -> `views`
- what both run on -> `base`
"""
