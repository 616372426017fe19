"""Text as a person may trust it: whatever could pass for something else is written out.

text -> `revealed`, `revealed_json`, `oddities`: what the doors call
words -> words that mix scripts, or pass for a word of another script
characters -> what one character is: seen or not, its script, its escape, its name
lookalikes -> generated: characters that look like ASCII ones
"""
