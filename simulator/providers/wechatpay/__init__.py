"""WeChat, played faithfully: so far its sign-in, `jscode2session`.

It leans on the simulator's clock and keys only.
"""
