import java.io.File;
import java.util.ArrayDeque;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Threads that meet at a monitor and must agree about how often they did; counts on stdout. */
public class JavaWorkload {
    static final ArrayDeque<Integer> queue = new ArrayDeque<>();
    static final AtomicLong added = new AtomicLong();
    static final AtomicLong ticks = new AtomicLong();
    static volatile boolean over;
    static long guarded;
    static long[] own = new long[3];
    static long received;
    static String wrong = "";

    static void add(int index) {
        try {
            while (!over) {
                synchronized (queue) {
                    guarded++;
                }
                own[index]++;
                added.incrementAndGet();
                Thread.sleep(2);
            }
        } catch (InterruptedException e) {
            wrong += " interrupted";
        }
    }

    static void receive() {
        int expected = 1;
        try {
            while (true) {
                int n;
                synchronized (queue) {
                    while (queue.isEmpty()) queue.wait();
                    n = queue.remove();
                }
                if (n < 0) return;
                if (n != expected++) wrong += " received " + n;
                received++;
            }
        } catch (InterruptedException e) {
            wrong += " interrupted";
        }
    }

    static void send(int n) {
        synchronized (queue) {
            queue.add(n);
            queue.notifyAll();
        }
    }

    public static void main(String[] args) throws Exception {
        Thread[] threads = {
            new Thread(() -> add(0)),
            new Thread(() -> add(1)),
            new Thread(() -> add(2)),
            new Thread(JavaWorkload::receive)
        };
        for (Thread thread : threads) thread.start();
        ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);
        timer.scheduleAtFixedRate(ticks::incrementAndGet, 5, 5, TimeUnit.MILLISECONDS);
        File stop = new File("stop");
        byte[][] garbage = new byte[16][];
        int n = 0;
        while (!stop.exists()) {
            n++;
            garbage[n % 16] = new byte[1 << 20];
            garbage[n % 16][n] = (byte) n;
            for (int i = Math.max(1, n - 15); i <= n; i++)
                if (garbage[i % 16][i] != (byte) i) wrong += " memory " + i;
            send(n);
            System.out.println(n);
            Thread.sleep(10);
        }
        over = true;
        send(-1);
        for (Thread thread : threads) thread.join();
        timer.shutdown();
        if (guarded != added.get() || guarded != own[0] + own[1] + own[2]) wrong += " adders";
        if (received != n) wrong += " received " + received + " of " + n;
        if (ticks.get() < 2) wrong += " timer";
        System.out.println(wrong.isEmpty() ? "end: all agree" : wrong);
    }
}
