trap 'echo "left with $?"' EXIT
trap 'caught=1; echo "caught TERM"' TERM
n=0
until [ -e stop ]; do
  n=$((n + 1))
  codes=
  jobs=
  for code in 0 1 2 3 4; do
    (sleep 0.0$code; exit $code) &
    jobs="$jobs $!"
  done
  for job in $jobs; do
    wait "$job"
    codes="$codes $?"
  done
  read -r text <<END
here $n
END
  echo "round $n:$codes $text sub $(echo $(echo $n) | (cat))"
done
kill -TERM $$
[ "$caught" = 1 ]
