// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite.box;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.virtio4j.vfiohost.VfioDevice;

/** Has QEMU's device for lessons do DMA (QEMU, docs/specs/edu.rst). */
final class LessonDevice {

    /** How much is copied at once. */
    static final int BYTES = 64;

    private static final long ID = 0x0;
    private static final int EXPECTED_ID = 0xed;
    private static final long SOURCE = 0x80;
    private static final long DESTINATION = 0x88;
    private static final long COUNT = 0x90;
    private static final long COMMAND = 0x98;
    private static final long FROM_MEMORY = 1;
    private static final long TO_MEMORY = 3;
    private static final long BUSY = 1;

    /** Where the device's own buffer is, for the device. */
    private static final long BUFFER = 0x40000;

    private final MemorySegment registers;

    LessonDevice(VfioDevice device) throws IOException {
        device.answering(true);
        device.busMastering(true);
        registers = device.mapBar(0);
        if ((registers.get(ValueLayout.JAVA_INT, ID) & 0xff) != EXPECTED_ID) {
            throw new IOException(device + " is no device for lessons");
        }
    }

    /** Copies from memory into the device. */
    void take(long iova) throws InterruptedException {
        copy(iova, BUFFER, FROM_MEMORY);
    }

    /** Copies what was taken last into memory. */
    void put(long iova) throws InterruptedException {
        copy(BUFFER, iova, TO_MEMORY);
    }

    private void copy(long source, long destination, long command) throws InterruptedException {
        registers.set(ValueLayout.JAVA_LONG, SOURCE, source);
        registers.set(ValueLayout.JAVA_LONG, DESTINATION, destination);
        registers.set(ValueLayout.JAVA_LONG, COUNT, BYTES);
        registers.set(ValueLayout.JAVA_LONG, COMMAND, command);
        while ((registers.get(ValueLayout.JAVA_LONG, COMMAND) & BUSY) != 0) {
            Thread.sleep(10); // it takes 100 ms of the machine's time
        }
    }
}
