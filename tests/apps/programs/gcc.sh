# gcc, dumped in the middle of a compilation: the object is the one that an undisturbed gcc makes.
prepare() {
  awk 'BEGIN {
    for (i = 0; i < 260; i++) {
      printf "static int f%d(int *a, int n) { int s = %d; for (int i = 0; i < n; i++) {", i, i
      printf " s += a[i] * %d ^ (s >> %d); if (s %% %d == 0) a[i] = s; switch (s & 7) {", i + 3, i % 7 + 1, i + 2
      for (j = 0; j < 8; j++) printf " case %d: s ^= %d * a[(i + %d) %% n]; break;", j, i * j, j
      print " } } return s; }"
    }
    print "int all(int *a, int n) { int s = 0;"
    for (i = 0; i < 260; i++) printf "s += f%d(a, n);\n", i
    print "return s; }"
  }' >big.c
  gcc -O2 -c big.c -o expected.o
}
run() {
  n=0
  until [ -e stop ]; do
    gcc -O2 -pipe -c big.c -o big.o || return 1
    cmp big.o expected.o || return 1
    n=$((n + 1))
    echo "compiled $n"
  done
}
moment() { cat /proc/[0-9]*/comm 2>/dev/null | grep -q '^cc1$'; }
check() { seq "$(wc -l <out)" | sed 's/^/compiled /' | cmp - out && cmp big.o expected.o; }
