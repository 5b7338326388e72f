#!/usr/bin/env bash
# An agent for if-coordinator: takes tasks, runs a command for each, keeps the lease while the command runs,
# and ends the claim by the result of the command.
#
#     NATS_URL=nats://localhost:4222 ./agent.sh COMMAND [ARGUMENT...]
#
# It needs bash, jq and the nats command line. COMMAND reads the task's record, in JSON, from standard input.
# Its standard output becomes the result. An exit code other than 0 is a failed attempt, with the last lines of
# standard error. With STOP_WHEN_IDLE=1 the agent ends when no task is ready. After SIGTERM or Ctrl-C it gives
# back its task and ends.
set -uo pipefail

LEASE_SECONDS=60
# Short, because after a reconnect nats keeps waiting for an answer that may never come.
WAIT_SECONDS=10
# During a short failure of NATS, a worker holds a request for less time. The default of nats is 5 s.
REPLY_SECONDS=15

unique() { od -An -N8 -tx1 /dev/urandom | tr -d ' \n'; }
host=$(hostname -s | tr -cd 'A-Za-z0-9-')
session=${SESSION:-$host-$$-$(unique)}
# Different for each process: a process that starts under the same session id replaces this one.
instance=$(unique)
files=$(mktemp -d)
# The jobs in the background, as SIGNAL:PID. Each has its own process group, which can be ended as a whole.
groups=()

# start SIGNAL COMMAND...: runs it in the background, in its own process group. $! is its process id. SIGNAL
# ends it: KILL for functions, because bash can miss any other signal while it starts one.
start() {
  local signal=$1
  shift
  set -m
  "$@" &
  set +m
  groups+=("$signal:$!")
}

# finish SIGNAL:PID: ends the whole group, if it has not ended by itself.
finish() {
  kill "-${1%:*}" -- "-${1#*:}" 2>/dev/null
  wait "${1#*:}" 2>/dev/null
}

# ask SUBJECT BODY [SECONDS]: writes the reply. It retries until there is one, or until `deadline` if that is
# set. Returns 1 for a refusal. Every request of this agent is idempotent.
#
# `nats req` always exits with 0: only the reply says what happened. It takes bodies for templates unless an
# option forbids it.
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

# renew TASK_ID ATTEMPT PID: renews the lease every third of its length. It stops the command when another
# session may have the task, or when the task was cancelled.
renew() {
  local body reply deadline
  body=$(jq -nc --arg session_id "$session" --argjson attempt "$2" '{$session_id, $attempt}')
  while sleep $((LEASE_SECONDS / 3)); do
    # Without an answer by then, the lease has expired.
    deadline=$((SECONDS + LEASE_SECONDS * 2 / 3))
    if reply=$(ask "tasks.renew.$1" "$body") && [[ $(jq .cancel_requested <<<"$reply") == false ]]; then
      continue
    fi
    touch "$files/lost"
    kill -TERM -- "-$3" 2>/dev/null
    return
  done
}

# release TASK_ID ATTEMPT END: ends the claim. END is the rest of the request.
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
    # Refused if another session has the task, and right if the task was cancelled.
    end='{"status":"available"}'
  elif [[ $code == 0 ]]; then
    end=$(jq -Rsc '{status: "complete", result: rtrimstr("\n")}' <"$files/out")
  else
    end=$(tail -n 20 "$files/err" | jq -Rsc --argjson code "$code" '{status: "failed", error: {$code, stderr: .}}')
  fi
  if ! reply=$(release "$task_id" "$attempt" "$end"); then
    case $(jq -r .error.code <<<"$reply") in
      invalid_request | too_large)
        # The result cannot be stored: another attempt would end in the same way.
        end=$(jq -c '{status: "failed", error: .error.message, retry: false}' <<<"$reply")
        reply=$(release "$task_id" "$attempt" "$end")
        ;;
    esac
  fi
  jq -r --arg id "$task_id" '$id + ": " + (.task.status // .error.code)' <<<"$reply"
}

leave() {
  # A background job that has just started may still have these traps.
  [[ $BASHPID == "$$" ]] || return
  trap '' TERM INT
  local group
  for group in "${groups[@]}"; do finish "$group"; done
  # Gives back the task that the session still holds.
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
  # With the same request_id, a retry gets the same claim.
  body=$(jq -nc --arg session_id "$session" --arg request_id "$(unique)" --argjson ttl_seconds "$LEASE_SECONDS" \
    --argjson wait_seconds "$wait_seconds" '{$session_id, $request_id, $ttl_seconds, $wait_seconds}')
  # In the background, because bash handles signals while it waits, but not while a command runs.
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
