"""run.py MODULE.FUNCTION [ARGUMENT ...]: one test of tests/e2e/rpc.test.ts."""

import importlib
import sys

module, function = sys.argv[1].split('.')
getattr(importlib.import_module(module), function)(*sys.argv[2:])
