"""Requests to the outside, and the only place that imports `requests` and `urllib3`.

No redirects, no cookies, no proxies or passwords from the environment, no compressed bodies; time
and size are bounded. What a failure leaves open is said by `HttpFailure.sent`. It leans on the
kernel's errors and clock.
"""

from payments.kernel.http.client import AddressRefused, HttpAnswer, HttpClient, HttpFailure
from payments.kernel.http.guarded import GuardedHttpClient

__all__ = ["AddressRefused", "GuardedHttpClient", "HttpAnswer", "HttpClient", "HttpFailure"]
