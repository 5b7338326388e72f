#!/usr/bin/env bash
# An agent for if-coordinator: takes tasks, runs a command for each, keeps the lease while the command runs,
# and ends the claim with what came of it.
#
#     NATS_URL=nats://localhost:4222 ./agent.sh COMMAND [ARGUMENT...]
#
# It needs bash, jq and the nats command line. COMMAND gets the task's record, JSON, on standard input. What it
# writes to standard output becomes the result; an exit code other than 0 is a failed attempt, with the last
# lines of standard error. With STOP_WHEN_IDLE=1 the agent ends when no task is ready. SIGTERM and Ctrl-C end
# it in order: it gives back what it holds.
set -uo pipefail

LEASE_SECONDS=60
# Short, because nats goes on waiting when its connection broke, for an answer that may never come.
WAIT_SECONDS=10
# Longer than a worker holds a request through a short failure of NATS. The default of nats is 5 s.
REPLY_SECONDS=15

unique() { od -An -N8 -tx1 /dev/urandom | tr -d ' \n'; }
host=$(hostname -s | tr -cd 'A-Za-z0-9-')
session=${SESSION:-$host-$$-$(unique)}
# One for each process: a process that comes back under the same session id replaces this one.
instance=$(unique)
files=$(mktemp -d)
# What runs in the background, each with a process group of its own, which can be ended as a whole:
# SIGNAL:PID.
groups=()

# start SIGNAL COMMAND...: in the background, with a process group of its own; $! is its process id. SIGNAL
# ends it: KILL for functions, because bash can miss any other signal while it begins one.
start() {
  local signal=$1
  shift
  set -m
  "$@" &
  set +m
  groups+=("$signal:$!")
}

# finish SIGNAL:PID: ends all of it, if it has not ended by itself.
finish() {
  kill "-${1%:*}" -- "-${1#*:}" 2>/dev/null
  wait "${1#*:}" 2>/dev/null
}

# ask SUBJECT BODY [SECONDS]: writes the reply, and asks again until there is one, or until `deadline` if that
# is set. Returns 1 for a refusal. Every request of this agent can be repeated.
#
# `nats req` exits with 0 whatever happens: only the reply tells. Bodies are templates for it unless it is
# told otherwise.
ask() {
  local subject=$1 body seconds=${3:-0} reply pause=0.2
  body=$(jq -c --arg instance "$instance" '. + {$instance}' <<<"$2")
  while ((SECONDS < ${deadline:-SECONDS + 1})); do
    reply=$(nats req --raw --no-templates --force-stdin --timeout "$((seconds + REPLY_SECONDS))s" \
      "$subject" <<<"$body" 2>/dev/null)
    case $(jq -r 'if .ok then "ok" elif .error.retryable then "again" else "refused" end' <<<"${reply:-null}") in
      ok) printf '%s\n' "$reply" && return 0 ;;
      refused) printf '%s\n' "$reply" && return 1 ;;
    esac
    # No worker, or no answer: the request may have been carried out.
    sleep "$pause"
    pause=$(jq -n --argjson pause "$pause" '[$pause * 2, 5] | min')
  done
  return 1
}

# renew TASK_ID ATTEMPT PID: renews the lease every third of its length, and stops the command when somebody
# else may have the task, or when it was cancelled.
renew() {
  local body reply deadline
  body=$(jq -nc --arg session_id "$session" --argjson attempt "$2" '{$session_id, $attempt}')
  while sleep $((LEASE_SECONDS / 3)); do
    # Without an answer until then, the lease has run out.
    deadline=$((SECONDS + LEASE_SECONDS * 2 / 3))
    if reply=$(ask "tasks.renew.$1" "$body") && [[ $(jq .cancel_requested <<<"$reply") == false ]]; then
      continue
    fi
    touch "$files/lost"
    kill -TERM -- "-$3" 2>/dev/null
    return
  done
}

# release TASK_ID ATTEMPT END: ends the claim, END being the rest of the request.
release() {
  local body
  body=$(jq -c --arg session_id "$session" --argjson attempt "$2" '. + {$session_id, $attempt}' <<<"$3")
  ask "tasks.release.$1" "$body"
}

run_command() {
  exec "$@" <"$files/task" >"$files/out" 2>"$files/err"
}

handle() {
  local claim=$1 task_id attempt command_pid renewing code end reply
  shift
  task_id=$(jq -r .task.task_id <<<"$claim")
  attempt=$(jq .attempt <<<"$claim")
  rm -f "$files/lost"
  jq .task <<<"$claim" >"$files/task"
  start TERM run_command "$@"
  command_pid=$!
  start KILL renew "$task_id" "$attempt" "$command_pid"
  renewing=KILL:$!
  wait "$command_pid"
  code=$?
  finish "$renewing"
  groups=()
  if [[ -e $files/lost ]]; then
    # Refused if somebody else has the task, and right if it was cancelled.
    end='{"status":"available"}'
  elif [[ $code == 0 ]]; then
    end=$(jq -Rsc '{status: "complete", result: rtrimstr("\n")}' <"$files/out")
  else
    end=$(tail -n 20 "$files/err" | jq -Rsc --argjson code "$code" '{status: "failed", error: {$code, stderr: .}}')
  fi
  if ! reply=$(release "$task_id" "$attempt" "$end"); then
    case $(jq -r .error.code <<<"$reply") in
      invalid_request | too_large)
        # The result cannot be stored: another run would end in the same way.
        end=$(jq -c '{status: "failed", error: .error.message, retry: false}' <<<"$reply")
        reply=$(release "$task_id" "$attempt" "$end")
        ;;
    esac
  fi
  jq -r --arg id "$task_id" '$id + ": " + (.task.status // .error.code)' <<<"$reply"
}

leave() {
  # What was started a moment ago, and is ended, may still have these traps.
  [[ $BASHPID == "$$" ]] || return
  trap '' TERM INT
  local group
  for group in "${groups[@]}"; do finish "$group"; done
  # Gives back what the session still holds.
  ask "sessions.unregister.$session" '{}' >/dev/null
  rm -rf "$files"
}
trap leave EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

[[ $# -gt 0 ]] || { echo "usage: agent.sh COMMAND [ARGUMENT...]" >&2; exit 2; }
wait_seconds=$([[ ${STOP_WHEN_IDLE:-} == 1 ]] && echo 0 || echo "$WAIT_SECONDS")
ask "sessions.register.$session" '{"ttl_seconds":86400}' >/dev/null
while true; do
  # The name of the request: sent again, it gets the same claim.
  body=$(jq -nc --arg session_id "$session" --arg request_id "$(unique)" --argjson ttl_seconds "$LEASE_SECONDS" \
    --argjson wait_seconds "$wait_seconds" '{$session_id, $request_id, $ttl_seconds, $wait_seconds}')
  # In the background: bash notices signals while it waits, not while a command runs in front.
  start KILL ask tasks.next "$body" "$wait_seconds" >"$files/next"
  if ! wait "$!"; then
    # Such as session_replaced: another process has this session id.
    jq -r '.error | .code + ": " + .message' "$files/next" >&2
    exit 1
  fi
  groups=()
  claim=$(jq -c '.claims[0] // empty' "$files/next")
  if [[ -n $claim ]]; then
    handle "$claim" "$@"
  elif [[ $wait_seconds == 0 ]]; then
    exit 0
  fi
done
