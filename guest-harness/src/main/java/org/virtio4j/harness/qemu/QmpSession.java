// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * A connection to QEMU's machine protocol (QMP), by which a machine is changed while it runs. One thread at a time.
 * Events are kept until somebody waits for them.
 */
public final class QmpSession implements AutoCloseable {

    private static final JsonFactory JSON = new JsonFactory();
    private static final int BUFFER_BYTES = 1 << 16;

    private final SocketChannel channel;
    private final Selector selector;
    private final Duration patience;
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).flip();
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final Queue<Map<String, String>> events = new ArrayDeque<>();

    private QmpSession(SocketChannel channel, Duration patience) throws IOException {
        this.channel = channel;
        this.patience = patience;
        this.selector = Selector.open();
        channel.configureBlocking(false);
        channel.register(selector, SelectionKey.OP_READ);
    }

    /**
     * Connects to a QEMU that was started with {@link QemuCommand#qmp}.
     *
     * @param socket its path
     * @param patience how long QEMU may take for one answer or event
     * @return a session that takes commands
     * @throws IOException if QEMU does not listen there, or refuses
     */
    public static QmpSession connect(Path socket, Duration patience) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            QmpSession session = new QmpSession(channel, patience);
            session.read(); // the greeting
            session.execute("{\"execute\":\"qmp_capabilities\"}");
            return session;
        } catch (IOException refused) {
            channel.close();
            throw refused;
        }
    }

    /**
     * Has QEMU carry out a command.
     *
     * @param command one line of JSON
     * @throws IOException if QEMU refuses it, says nothing in time, or has ended
     */
    public void execute(String command) throws IOException {
        ByteBuffer bytes = UTF_8.encode(command + "\n");
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        while (true) {
            Map<String, String> answer = read();
            String error = answer.get("error/desc");
            if (error != null) {
                throw new IOException("QEMU refuses " + command + ": " + error);
            }
            if (!answer.containsKey("event")) {
                return;
            }
            events.add(answer);
        }
    }

    /**
     * Waits until a device is gone, which the guest may put off.
     *
     * @param device its id
     * @throws IOException if that does not happen in time, or QEMU has ended
     */
    public void awaitDeleted(String device) throws IOException {
        Map<String, String> event = events.poll();
        while (!isDeletion(event == null ? Map.of() : event, device)) {
            event = events.isEmpty() ? read() : events.poll();
        }
    }

    private static boolean isDeletion(Map<String, String> event, String device) {
        return "DEVICE_DELETED".equals(event.get("event")) && device.equals(event.get("data/device"));
    }

    /** The next line: its values by the names of their fields, with those of the objects around them. */
    private Map<String, String> read() throws IOException {
        Map<String, String> values = new LinkedHashMap<>();
        try (JsonParser parser = JSON.createParser(readLine())) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                if (token.isScalarValue() || token == JsonToken.START_OBJECT) {
                    values.put(parser.getParsingContext().pathAsPointer().toString().replaceFirst("^/", ""),
                            text(parser.getText()));
                }
            }
        }
        return values;
    }

    private static String text(@Nullable String found) {
        return found == null ? "" : found;
    }

    private byte[] readLine() throws IOException {
        long began = System.nanoTime();
        while (true) {
            while (buffer.hasRemaining()) {
                byte next = buffer.get();
                if (next == '\n') {
                    byte[] bytes = line.toByteArray();
                    line.reset();
                    return bytes;
                }
                line.write(next);
            }
            fill(patience.minusNanos(System.nanoTime() - began).toMillis());
        }
    }

    private void fill(long millis) throws IOException {
        if (millis <= 0) {
            throw new IOException("QEMU has said nothing over QMP for " + patience.toSeconds() + " s");
        }
        selector.select(millis);
        selector.selectedKeys().clear();
        buffer.clear();
        int count = channel.read(buffer);
        buffer.flip();
        if (count < 0) {
            throw new IOException("QEMU has ended");
        }
    }

    @Override
    public void close() throws IOException {
        selector.close();
        channel.close();
    }
}
