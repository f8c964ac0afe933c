# make -j4 of a C project, dumped in mid-build: it comes to an end, and the program works.
files=80
prepare() {
  mkdir project
  i=0
  while [ $i -lt $files ]; do
    awk -v i=$i 'BEGIN {
      print "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include \"all.h\""
      for (f = 0; f < 12; f++)
        printf "static long g%d(long x) { for (int k = 0; k < %d; k++) x = x * %d + (x >> %d); return x; }\n", f, f + 3, f + i + 2, f % 5 + 1
      printf "long part%d(long x) {", i
      for (f = 0; f < 12; f++) printf " x ^= g%d(x);", f
      print " return x; }"
    }' >project/part$i.c
    i=$((i + 1))
  done
  awk -v n=$files 'BEGIN { for (i = 0; i < n; i++) printf "long part%d(long x);\n", i }' >project/all.h
  awk -v n=$files 'BEGIN {
    print "#include <stdio.h>\n#include \"all.h\"\nint main(void) { long x = 1;"
    for (i = 0; i < n; i++) printf "x = x * 31 + part%d(x);\n", i
    print "printf(\"%lx\\n\", x); return 0; }"
  }' >project/main.c
  cat >project/Makefile <<'END'
objects := $(sort $(patsubst %.c,%.o,$(wildcard *.c)))
program: $(objects)
	$(CC) -o $@ $^
%.o: %.c all.h
	@sleep 0.3
	$(CC) -O1 -c -o $@ $<
	@echo done $@ >>../done
END
  : >done
  cp -r project reference
  (cd reference && gcc -w -O1 -o program ./*.c && ./program >../expected)
}
run() { make -j4 -C project CC=gcc program; }
progress() { wc -l <done; }
step=2
moment() { cat /proc/[0-9]*/comm 2>/dev/null | grep -qE '^(cc1|as|gcc)$'; }
check() {
  [ "$(sort -u done | wc -l)" = $((files + 1)) ] && [ "$(wc -l <done)" = $((files + 1)) ] || { sort done | uniq -c; return 1; }
  ! grep -E 'Error|Stop|waiting for unfinished' out err || return 1
  ./project/program | cmp - expected && make -q -C project CC=gcc program
}
