// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.nio.charset.StandardCharsets;
import org.virtio4j.os.Errno;
import org.virtio4j.wire.vfiouser.VersionMessage;

/** The first message of a client: which version it speaks, and what it can do. */
final class Handshake {

    private static final int MAJOR = 0;
    private static final int MINOR = 0;

    /** Without the first a client sends one descriptor a message; the second is what the protocol says without it. */
    private static final byte[] CAPABILITIES = ("{\"capabilities\":{\"max_msg_fds\":" + RequestMessage.MOST_DESCRIPTORS
            + ",\"max_dma_maps\":" + DmaWindows.MOST + "}}\0").getBytes(StandardCharsets.US_ASCII);

    private volatile boolean done;
    private boolean hopeless;

    /** Any thread. */
    boolean isDone() {
        return done;
    }

    /** Whether the client speaks an unknown version, so that the connection must end. */
    boolean isHopeless() {
        return hopeless;
    }

    /**
     * Answers with the only version there is. QEMU takes no answer that is longer than its question, so the server's
     * capabilities are left out where there is no room for them. The capabilities of the client make no difference.
     */
    int version(RequestMessage request, ReplyMessage reply) {
        long size = request.bodySize();
        boolean text = size > VersionMessage.TEXT;
        if (done || size < VersionMessage.TEXT) {
            return reply.refuse(Errno.EINVAL, done ? "the version was agreed on before" : "it names no version");
        }
        if (request.u16(VersionMessage.MAJOR) != MAJOR) {
            hopeless = true;
            return reply.refuse(Errno.EINVAL, "the client speaks version " + request.u16(VersionMessage.MAJOR) + "."
                    + request.u16(VersionMessage.MINOR) + " of the protocol, and there is " + MAJOR + "." + MINOR
                    + " here");
        }
        if (text && request.u8(size - 1) != 0) {
            return reply.refuse(Errno.EINVAL, "its text does not end in a zero byte");
        }
        boolean room = size >= VersionMessage.TEXT + CAPABILITIES.length;
        reply.body(VersionMessage.TEXT + (room ? CAPABILITIES.length : 0));
        reply.putU16(VersionMessage.MAJOR, MAJOR);
        reply.putU16(VersionMessage.MINOR, MINOR);
        for (int i = 0; room && i < CAPABILITIES.length; i++) {
            reply.putU8(VersionMessage.TEXT + i, CAPABILITIES[i]);
        }
        done = true;
        return 0;
    }
}
