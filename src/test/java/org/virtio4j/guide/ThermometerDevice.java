// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.virtio4j.device.DeviceConfig;
import org.virtio4j.device.QueueDevice;
import org.virtio4j.device.ServedChain;
import org.virtio4j.device.ServedQueue;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.vmm.LittleEndian;

// guide: begin

/** Reports temperatures as they are measured; its driver may also ask for a calibration. The device type is made up. */
final class ThermometerDevice extends QueueDevice {

    private final ArrayBlockingQueue<Integer> measured = new ArrayBlockingQueue<>(64);
    private final MemorySegment report = MemorySegment.ofArray(new int[1]);
    private final DeviceConfig config = configuration(4);            // the last temperature, for all to read
    private final ServedQueue reports;

    ThermometerDevice() {
        super(62);
        reports = queue(64, this::report).onlyWhile(() -> !measured.isEmpty());    // buffers wait for something to say
        queue(64, this::calibrate).byWorker("calibration");                        // no virtual CPU waits for it
    }

    /** A temperature was measured. Any thread. */
    void measured(int temperature) {
        measured.offer(temperature);                                               // a driver may take none
        config.change(bytes -> LittleEndian.putI32(bytes, 0, temperature));        // the driver is told
        reports.look();                                                            // there is use for a buffer now
    }

    private void report(ServedChain chain) {
        LittleEndian.putI32(report, 0, measured.element());
        if (chain.write(0, report, 0, Math.min(chain.writableLength(), 4)) == DmaResult.OK) {
            measured.remove();                                                     // else it is for the next buffer
        }
    }

    private void calibrate(ServedChain chain) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));                   // what takes long goes here
    }
}
// guide: end
