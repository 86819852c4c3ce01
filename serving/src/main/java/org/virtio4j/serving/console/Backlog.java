// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** The last bytes of many. Used under a lock of its owner. */
final class Backlog {

    private final byte[] bytes;

    /** Where the first byte is, and how many there are. */
    private int first;
    private int count;

    Backlog(int capacity) {
        bytes = new byte[capacity];
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** Takes all of a buffer; if there is no room, the oldest bytes go. */
    void add(ByteBuffer more) {
        more.position(Math.max(more.position(), more.limit() - bytes.length));
        while (more.hasRemaining()) {
            int at = (first + count) % bytes.length;
            int length = Math.min(more.remaining(), bytes.length - at);
            more.get(bytes, at, length);
            int lost = Math.max(0, count + length - bytes.length);
            first = (first + lost) % bytes.length;
            count += length - lost;
        }
    }

    /** Gives the oldest bytes away, as many as a channel takes. */
    void writeTo(WritableByteChannel to) throws IOException {
        int written = 1;
        while (count > 0 && written > 0) {
            written = to.write(ByteBuffer.wrap(bytes, first, Math.min(count, bytes.length - first)));
            first = (first + written) % bytes.length;
            count -= written;
        }
    }
}
