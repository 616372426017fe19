"""What may act: bounded modules behind one interface.

What a module takes and gives back -> types
What a module is -> base
Where modules are found, and how one is called -> registry
Modules that come with Remit -> built_in
"""
