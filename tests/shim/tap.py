#!/usr/bin/env python3
"""tap.py [NAME...]: runs the tests of this folder as TAP; NAME is part of a test's id, such as test_life or killed.

A test's name is its docstring. What a failure has to say is below it in comments.
"""

import os
import sys
import unittest

LINES_MAX, LINE_MAX = 40, 300  # of what a failure says

HERE = os.path.dirname(os.path.abspath(__file__))


def tests_of(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from tests_of(item)
        else:
            yield item


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.reported = set()
        self.lines_left = {}

    def name(self, test):
        text = " ".join((test._testMethodDoc or test.id()).split())
        return f"{test.id().split('.')[0].removeprefix('test_')}: {text}"

    def report(self, test, passed, remark="", detail=""):
        test.failed = test.failed or not passed
        if test.id() in self.reported:  # a failure in a subtest or in tearDown after another one
            passed = True
        else:
            print(f"{'ok' if passed else 'not ok'} {self.testsRun} - {self.name(test)}{remark}")
        self.reported.add(test.id())
        for line in detail.splitlines():
            if self.lines_left.setdefault(test.id(), LINES_MAX) > 0:
                print(f"# {line[:LINE_MAX]}")
            self.lines_left[test.id()] -= 1
        sys.stdout.flush()

    def addSuccess(self, test):
        self.report(test, True)

    def addSkip(self, test, reason):
        self.report(test, True, f" # SKIP {reason}")

    def addError(self, test, err):
        super().addError(test, err)
        self.report(test, False, "", self._exc_info_to_string(err, test))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.report(test, False, "", self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.report(test, False, "", f"{subtest}\n{self._exc_info_to_string(err, test)}")


def main():
    loader = unittest.TestLoader()
    found = list(tests_of(loader.discover(HERE, top_level_dir=HERE)))
    if loader.errors:
        sys.exit("".join(f"Bail out! {error}\n" for error in loader.errors))
    wanted = sys.argv[1:]
    chosen = [test for test in found if not wanted or any(name in test.id() for name in wanted)]
    print(f"1..{len(chosen)}", flush=True)
    result = TapResult()
    unittest.TestSuite(chosen).run(result)
    return 0 if result.wasSuccessful() else 1


sys.exit(main())
