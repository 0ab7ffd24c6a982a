"""Who vouches for a citizen: Alipay and WeChat turn an authorisation code into a subject.

Each is one class with one method; it leans on the kernel's HTTP client, and Alipay's on the
signing of the payment adapter, because an app signs every request with the same key.
"""
