// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.virtio4j.device.ChainHandler;
import org.virtio4j.device.DeviceConfig;
import org.virtio4j.device.QueueDevice;
import org.virtio4j.device.ServedChain;
import org.virtio4j.device.ServedQueue;

/** A device of the last type that PCI has a number for, with the handlers that a test gives it, one for each queue. */
final class OwnDevice extends QueueDevice {

    static final int TYPE = 63;
    static final int CONFIG_SIZE = 12;

    final DeviceConfig config = configuration(CONFIG_SIZE);
    final List<ServedQueue> queues = new ArrayList<>();
    private final boolean polled;

    private OwnDevice(boolean polled, ChainHandler... handlers) {
        super(TYPE);
        this.polled = polled;
        for (ChainHandler handler : handlers) {
            queues.add(queue(BlockMachine.QUEUE_SIZE, handler));
        }
    }

    static OwnDevice with(ChainHandler... handlers) {
        return new OwnDevice(false, handlers);
    }

    static OwnDevice polled(ChainHandler... handlers) {
        return new OwnDevice(true, handlers);
    }

    /** Answers with what it was sent. */
    static ChainHandler echo() {
        MemorySegment copy = Arena.ofAuto().allocate(1 << 20);
        return chain -> echo(chain, copy);
    }

    private static void echo(ServedChain chain, MemorySegment copy) {
        long length = Math.min(copy.byteSize(), Math.min(chain.readableLength(), chain.writableLength()));
        chain.read(0, copy, 0, length);
        chain.write(0, copy, 0, length);
    }

    OwnDevice set(Consumer<ServedQueue> served) {
        queues.forEach(served);
        return this;
    }

    @Override
    public boolean isPolled() {
        return polled;
    }

    /** Waits for a moment as an idle strategy may. */
    static void nap(int done) {
        if (done == 0) {
            LockSupport.parkNanos(1_000);
        }
    }
}
