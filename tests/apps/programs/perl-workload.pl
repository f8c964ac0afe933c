use strict;
use warnings;
use threads;
use threads::shared;
use Time::HiRes qw(sleep alarm);
use IO::Handle;
use POSIX qw(:signal_h);

$| = 1;
my ($alarms, $text) = (0, '');
pipe(my $question_r, my $question_w) or die;
pipe(my $answer_r, my $answer_w) or die;
my $child = fork // die;
if ($child == 0) {
    close $question_w;
    close $answer_r;
    $answer_w->autoflush(1);
    while (my $n = <$question_r>) {
        chomp $n;
        print $answer_w $n * $n, "\n";
    }
    exit 7;
}
close $question_r;
close $answer_w;
$question_w->autoflush(1);

# The kernel gives a signal to any thread that does not block it, also to one without a handler in
# its interpreter, which Perl ends the program for: they are made with it blocked.
my $alarm_set = POSIX::SigSet->new(SIGALRM);
sigprocmask(SIG_BLOCK, $alarm_set) or die;
my $ticks : shared = 0;
my $over : shared = 0;
my @threads = map {
    threads->create(sub {
        my $own = 0;
        until ($over) {
            { lock($ticks); $ticks++; $own++; }
            select undef, undef, undef, 0.003;
        }
        return $own;
    })
} 1 .. 3;

sigprocmask(SIG_UNBLOCK, $alarm_set) or die;
$SIG{ALRM} = sub { $alarms++; };
alarm(0.05, 0.05);
my $i = 0;
until (-e 'stop' and $i > 50 and $alarms > 3) {
    $i++;
    print $question_w "$i\n";
    my $answer = <$answer_r>;
    chomp $answer;
    die "got $answer for $i" unless $answer == $i * $i;
    $text .= "<$i>";
    my @all = $text =~ /<(\d+)>/g;
    die 'text' unless @all == $i and $all[-1] == $i;
    print "$i $answer\n";
    sleep 0.004;
}
alarm 0;
$over = 1;
my $sum = 0;
$sum += $_->join for @threads;
close $question_w;
waitpid $child, 0;
my $reaped = ($? >> 8) == 7 ? 1 : 0;
my $agree = $sum == $ticks ? 'agree' : "differ ($sum, $ticks)";
print "end: $i children reaped $reaped, threads $agree, alarms seen\n";
