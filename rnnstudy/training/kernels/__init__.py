"""Forms of the compiled training program: member by member, or all members in one batch.

`choice.kernel_for` returns the form for a kind of device.
"""
