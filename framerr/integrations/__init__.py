"""A connected service and its sealed credential.

Promise: a credential is readable only inside `with store.opened(...)`, and one sealed with another key is said to be so.
Prohibitions: opens no connection and knows no kind of service.
"""
