#!/bin/sh
nonce=$1
tasks=$2
each=$3
shift 3
index=$((${AWS_BATCH_JOB_ARRAY_INDEX:-0} * each))
end=$((index + each))
if [ "${end}" -gt "${tasks}" ]; then end=${tasks}; fi
failed=
ended=
task=
trap 'ended=1; if [ -n "${task}" ]; then kill -TERM "${task}"; fi' TERM
while [ "${index}" -lt "${end}" ] && [ -z "${ended}" ]; do
  (AWS_BATCH_JOB_ARRAY_INDEX=${index}; AWS_BATCH_JOB_ARRAY_SIZE=${tasks}
    export AWS_BATCH_JOB_ARRAY_INDEX AWS_BATCH_JOB_ARRAY_SIZE; exec "$@") &
  task=$!
  wait "${task}"
  code=$?
  while kill -0 "${task}" 2>/dev/null; do
    wait "${task}"
    code=$?
  done
  task=
  if [ "${code}" -ne 0 ]; then
    failed=${failed},${index}
    printf '\nawsbatch-packing %s FAILED %s with exit code %s\n' "${nonce}" "${index}" "${code}"
  fi
  index=$((index + 1))
done
if [ -n "${ended}" ]; then exit 143; fi
printf '\nawsbatch-packing %s DONE %s\n' "${nonce}" "${failed#,}"
[ -z "${failed}" ]
