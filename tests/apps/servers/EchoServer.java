import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Iterator;

/**
 * Two servers in one: at PORT a thread for each connection, at PORT + 1 one thread with a selector. Both
 * send back what they receive, in capitals, and a line that is empty ends the program.
 */
public class EchoServer {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        ServerSocket server = new ServerSocket(port);
        Selector selector = Selector.open();
        ServerSocketChannel channel = ServerSocketChannel.open();
        channel.bind(new InetSocketAddress(port + 1));
        channel.configureBlocking(false);
        channel.register(selector, SelectionKey.OP_ACCEPT);
        new Thread(() -> select(selector)).start();
        for (;;) {
            Socket socket = server.accept();
            new Thread(() -> serve(socket)).start();
        }
    }

    static void serve(Socket socket) {
        try {
            InputStream in = socket.getInputStream();
            OutputStream out = socket.getOutputStream();
            byte[] buffer = new byte[5000];
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                capitals(buffer, n);
                out.write(buffer, 0, n);
            }
            socket.close();
        } catch (Exception e) {
            e.printStackTrace();
        }
    }

    static void select(Selector selector) {
        try {
            for (;;) {
                selector.select();
                Iterator<SelectionKey> keys = selector.selectedKeys().iterator();
                while (keys.hasNext()) {
                    SelectionKey key = keys.next();
                    keys.remove();
                    if (key.isAcceptable()) accept(selector, key);
                    else echo(key);
                }
            }
        } catch (Exception e) {
            e.printStackTrace();
        }
    }

    static void accept(Selector selector, SelectionKey key) throws Exception {
        SocketChannel channel = ((ServerSocketChannel) key.channel()).accept();
        channel.configureBlocking(false);
        channel.register(selector, SelectionKey.OP_READ, ByteBuffer.allocateDirect(5000));
    }

    /** What cannot be sent at once waits for the peer to read; nothing more is read until then. */
    static void echo(SelectionKey key) throws Exception {
        SocketChannel channel = (SocketChannel) key.channel();
        ByteBuffer buffer = (ByteBuffer) key.attachment();
        if (key.isReadable()) {
            buffer.clear();
            if (channel.read(buffer) < 0) {
                channel.close();
                return;
            }
            byte[] bytes = new byte[buffer.position()];
            buffer.flip();
            buffer.get(bytes);
            capitals(bytes, bytes.length);
            buffer.clear();
            buffer.put(bytes);
            buffer.flip();
        }
        channel.write(buffer);
        key.interestOps(buffer.hasRemaining() ? SelectionKey.OP_WRITE : SelectionKey.OP_READ);
    }

    static void capitals(byte[] bytes, int length) {
        if (length == 1 && bytes[0] == '\n') System.exit(0);
        for (int i = 0; i < length; i++)
            if (bytes[i] >= 'a' && bytes[i] <= 'z') bytes[i] -= 32;
    }
}
