"""Alipay, played faithfully: gateway, trades, notices with faults on demand, cashier, control.

It leans on the simulator's clock and keys only.
"""
