"""Identity: citizens, their families, staff, sign-in; the answer to the host's auth question.

It leans on the host, the kernel and the Alipay adapter's signing. Whose row it is decides the key:
tables about a citizen carry `citizen_id`; the few lookups that find a citizen from something else
(an external subject, an ID card number, a consent code) are local tables of their own.
"""
