// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.wire.MmioRegister;

/** A device behind a window of virtio-mmio. */
final class MmioPort extends Port {

    private static final int WIDTH = 4;
    private static final long CONFIG_PLACES = 40;
    private static final long[] IDENTITY = {MmioRegister.MAGIC_VALUE, MmioRegister.VERSION, MmioRegister.DEVICE_ID,
        MmioRegister.VENDOR_ID, MmioRegister.SHM_LEN_LOW, MmioRegister.SHM_LEN_HIGH, MmioRegister.SHM_BASE_LOW,
        MmioRegister.SHM_BASE_HIGH};
    private static final Set<Register> READABLE = EnumSet.of(Register.DEVICE_FEATURE, Register.STATUS,
            Register.CONFIG_GENERATION, Register.QUEUE_ENABLE, Register.QUEUE_RESET);

    private final VirtioMmioDevice window;
    private final MmioDriverTransport driver;

    MmioPort(VirtioDevice device, DmaSpace dma, Interrupts interrupts) {
        super(interrupts);
        window = VirtioMmioDevice.of(device, dma, interrupts);
        driver = MmioDriverTransport.of(window);
    }

    @Override
    public DriverTransport driver() {
        return driver;
    }

    @Override
    public boolean shows(Register register) {
        return READABLE.contains(register);
    }

    @Override
    public boolean fits(Register register, long value) {
        return value >>> Integer.SIZE == 0;
    }

    @Override
    public long read(Register register) {
        return window.read(register.mmioOffset(), WIDTH);
    }

    @Override
    public void write(Register register, long value) {
        window.write(register.mmioOffset(), WIDTH, value);
    }

    @Override
    public void notifyQueue(long queue) {
        window.write(MmioRegister.QUEUE_NOTIFY, WIDTH, queue);
    }

    @Override
    public long readConfig(long offset, int width) {
        return window.read(MmioRegister.CONFIG + offset, width);
    }

    @Override
    public void writeConfig(long offset, int width, long value) {
        window.write(MmioRegister.CONFIG + offset, width, value);
    }

    @Override
    public List<Door> doors() {
        List<Long> places = new ArrayList<>();
        for (long offset = 0; offset <= MmioRegister.CONFIG + CONFIG_PLACES; offset += WIDTH) {
            places.add(offset);
        }
        return List.of(new Door("window", window, places, MmioPort::answers));
    }

    private static boolean answers(long offset, int width) {
        return offset >= MmioRegister.CONFIG || (width == WIDTH && offset >= 0 && offset % WIDTH == 0);
    }

    @Override
    public List<Long> identity() {
        List<Long> seen = new ArrayList<>();
        for (long register : IDENTITY) {
            seen.add(window.read(register, WIDTH));
        }
        return seen;
    }

    @Override
    public boolean find() {
        return MmioDriverTransport.discover(window) == MmioDriverTransport.Discovery.FOUND;
    }

    @Override
    public void reset(ResetKind kind) {
        window.reset(kind);
    }

    @Override
    public void memoryChanged() {
        window.memoryChanged();
    }

    @Override
    public int poll() {
        return window.poll();
    }

    @Override
    public String needsResetReason() {
        return window.needsResetReason();
    }
}
