// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import java.util.Optional;
import java.util.function.LongSupplier;
import org.virtio4j.vfiouser.VfioUserSocket;

/**
 * Looks at a socket from time to time, and tells two things: that an exception came out of its function, and that a
 * client is connected and silent, so that no other client can connect. Used by one thread.
 */
public final class FunctionWatch {

    /** A client that works sends its first message at once. */
    private static final long PATIENCE_NANOS = 5_000_000_000L;

    private final VfioUserSocket socket;
    private final DeviceNotices told;
    private final LongSupplier nanoTime;
    private boolean failed;

    /** The number of the client that is silent; negative after that was told, 0 if there is none. */
    private long mute;
    private long muteSince;

    /** The clock counts nanoseconds from any point. */
    public FunctionWatch(VfioUserSocket socket, DeviceNotices told, LongSupplier nanoTime) {
        this.socket = socket;
        this.told = told;
        this.nanoTime = nanoTime;
    }

    public void look() {
        Optional<Throwable> failure = socket.failure();
        if (failure.isPresent() && !failed) {
            failed = true;
            told.failed(failure.get());
        }
        lookAtClient();
    }

    private void lookAtClient() {
        long client = socket.connected() && !socket.greeted() ? socket.clients() : 0;
        long now = nanoTime.getAsLong();
        if (client == 0 || client != Math.abs(mute)) {
            mute = client;
            muteSince = now;
        } else if (mute > 0 && now - muteSince >= PATIENCE_NANOS) {
            mute = -client;
            told.mute(PATIENCE_NANOS);
        }
    }
}
