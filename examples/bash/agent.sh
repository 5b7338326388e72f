#!/bin/sh
# Does one task. Run it for every task: if-coordinator run -- examples/bash/agent.sh
title=$(jq -r .title)                           # the task is JSON on standard input
echo "working on $TASK_ID: $title" >&2          # standard error is for people
echo "did \"$title\""                           # the last line is the result
