"""The appliance: Tallystick's engine behind HTTP, with jobs and a command line.

Depends on `tallystick` (the engine) and is depended on by nobody. Real clocks, real entropy and real sockets come in here.
"""
