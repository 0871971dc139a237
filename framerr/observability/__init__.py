"""What happened and who did it: events, the audit log, and log lines.

Promise: an event or audit entry rides the transaction of what it tells about, and no log line carries a secret.
Prohibitions: decides nothing and delivers nothing.
"""
