// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.serve;

import java.util.Optional;
import java.util.function.LongSupplier;
import org.virtio4j.vfiouser.VfioUserSocket;

/**
 * Looks at a socket now and then, and tells what came out of its function as an exception, and that a client keeps
 * others from it without a word. By one thread.
 */
public final class FunctionWatch {

    /** A client that works says who it is at once. */
    private static final long PATIENCE_NANOS = 5_000_000_000L;

    private final VfioUserSocket socket;
    private final DeviceNotices told;
    private final LongSupplier nanoTime;
    private boolean failed;

    /** The number of the client that has not said a word; negative once that was told, 0 if there is none. */
    private long mute;
    private long muteSince;

    /** The clock counts nanoseconds from anywhere. */
    public FunctionWatch(VfioUserSocket socket, DeviceNotices told, LongSupplier nanoTime) {
        this.socket = socket;
        this.told = told;
        this.nanoTime = nanoTime;
    }

    void look() {
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
