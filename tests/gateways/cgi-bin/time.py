#!/usr/bin/env python3
import os
import time

print("Content-Type: text/plain\n")
print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
print(os.environ["HTTP_HOST"])
