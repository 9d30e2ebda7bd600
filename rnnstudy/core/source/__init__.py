"""Source code of classes that users define, as a part of the addresses of their results.

A class's source is the file of its module, and the files of the modules beside it that it imports.
These are found in the text, without running it. Classes of this package have none: they raise
`version` when their results change.
"""
