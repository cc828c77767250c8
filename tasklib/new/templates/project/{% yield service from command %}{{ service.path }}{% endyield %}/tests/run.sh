#!/bin/sh
# Runs every test (test_*.sh) of the folders given. A test passes by its exit code; {paths} in pyproject.toml
# are the folders of a stage. Replace it by whatever tests your language.
set -eu
failed=0
for folder; do
    for test in "$folder"/test_*.sh; do
        if sh -eu "$test"; then
            echo "passed: $test"
        else
            echo "FAILED: $test"
            failed=1
        fi
    done
done
exit "$failed"
