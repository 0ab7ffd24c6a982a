"""Alipay's OpenAPI gateway (v2): signing, wire, adapter and bills of one account.

It leans on the provider interface and the kernel.
"""
