// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import java.util.ArrayList;
import java.util.List;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.pci.PciDriverTransport;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.RegisterHandler;
import org.virtio4j.wire.pci.CommonConfig;
import org.virtio4j.wire.pci.PciHeader;
import org.virtio4j.wire.pci.VirtioCapability;

/** A device as the only function of a PCI bus, which its guest has scanned. */
final class PciPort extends Port {

    /** How the function interrupts. */
    enum Signalling { PIN, MESSAGES, VECTORS }

    private static final int DEVICE = 3;
    private static final long MEMORY_START = 0xc000_0000L;
    private static final long MEMORY_SIZE = 0x100_0000;
    private static final long FIRST_DOORBELL = 0xfd00_0000L;
    private static final int BEHIND_THE_LAST_BAR = PciHeader.BARS;

    private final Signalling signalling;
    private final VirtioPciFunction function;
    private final PciBus bus = new PciBus(MEMORY_START, MEMORY_SIZE);
    private final PciHost host = new PciHost(bus.ecam(), bus.memory(), MEMORY_START, MEMORY_SIZE);
    private final PciLayout layout;
    private final PciDriver driver;
    private final long doorbell;

    PciPort(VirtioDevice device, DmaSpace dma, Interrupts interrupts, Signalling signalling) {
        super(interrupts);
        this.signalling = signalling;
        doorbell = signalling == Signalling.MESSAGES ? addDoorbell(dma.memory(), interrupts) : 0;
        function = VirtioPciFunction.of(device, dma, signalling == Signalling.VECTORS
                ? PciInterrupts.vectors(vector -> interrupts.arrive(PciDriver.event(vector)), interrupts)
                : PciInterrupts.messages(interrupts));
        bus.add(DEVICE, 0, function);
        layout = new PciLayout(config());
        PciDriverTransport found = host.scan().getFirst();
        driver = new PciDriver(found, interrupts, signalling != Signalling.PIN);
        enableInterrupts(found);
    }

    /** A page in which each vector has an address of its own: what arrives there says which one it was. */
    private static long addDoorbell(GuestMemory memory, Interrupts interrupts) {
        long page = FIRST_DOORBELL;
        while (memory.map().find(page) != null) {
            page += GuestMemory.PAGE_SIZE;
        }
        memory.addDoorbell(page, GuestMemory.PAGE_SIZE,
                (requester, address, data) -> interrupts.arrive(PciDriver.event(data)));
        return page;
    }

    private void enableInterrupts(PciDriverTransport found) {
        // Also where an embedder delivers: whoever wrote to the table before may have masked.
        for (int vector = 0; signalling != Signalling.PIN && vector < found.vectorCount(); vector++) {
            found.writeVector(vector, doorbell + (long) vector * Integer.BYTES, vector, false);
        }
        found.maskFunction(false);
        found.enableMessages(signalling != Signalling.PIN);
    }

    // The guest

    @Override
    public DriverTransport driver() {
        return driver;
    }

    @Override
    public boolean shows(Register register) {
        return true;
    }

    @Override
    public boolean fits(Register register, long value) {
        return value >>> (register.pciWidth() * Byte.SIZE) == 0;
    }

    @Override
    public long read(Register register) {
        return structure(VirtioCapability.COMMON_CFG).read(register.pciOffset(), register.pciWidth());
    }

    @Override
    public void write(Register register, long value) {
        structure(VirtioCapability.COMMON_CFG).write(register.pciOffset(), register.pciWidth(), value);
    }

    /** Each queue of the devices here is notified at the place of its number, which {@link #identity} checks. */
    @Override
    public void notifyQueue(long queue) {
        structure(VirtioCapability.NOTIFY_CFG).write(queue * layout.multiplier(), Short.BYTES, queue);
    }

    @Override
    public long readConfig(long offset, int width) {
        return structure(VirtioCapability.DEVICE_CFG).read(offset, width);
    }

    @Override
    public void writeConfig(long offset, int width, long value) {
        structure(VirtioCapability.DEVICE_CFG).write(offset, width, value);
    }

    @Override
    public List<Long> identity() {
        List<Long> seen = new ArrayList<>();
        for (int word = 0; word < PciHeader.SPACE_SIZE / Integer.BYTES; word++) {
            seen.add(layout.fixed(word));
        }
        for (int bar = -1; bar <= PciHeader.BARS; bar++) {
            seen.add(function.barSize(bar));
        }
        seen.add((long) function.vectorCount());
        RegisterHandler common = structure(VirtioCapability.COMMON_CFG);
        long queues = common.read(CommonConfig.NUM_QUEUES, Short.BYTES);
        seen.add(queues);
        for (long queue = 0; queue <= queues; queue++) {
            write(Register.QUEUE_SELECT, queue);
            seen.add(common.read(CommonConfig.QUEUE_NOTIFY_OFF, Short.BYTES));
        }
        return seen;
    }

    @Override
    public synchronized boolean find() {
        layout.wake();
        List<PciDriverTransport> found = host.scan();
        if (found.size() != 1 || found.getFirst().vectorCount() == 0) {
            return false;
        }
        driver.found(found.getFirst());
        enableInterrupts(found.getFirst());
        return true;
    }

    @Override
    public List<Door> doors() {
        List<Long> registers = new ArrayList<>();
        for (long offset = 0; offset < PciHeader.SPACE_SIZE; offset += Short.BYTES) {
            registers.add(offset);
        }
        long place = (long) DEVICE << 15;
        List<Door> doors = new ArrayList<>();
        doors.add(new Door("ECAM", bus.ecam(), registers.stream().map(offset -> place + offset).toList(),
                Reach.ANYTHING));
        doors.add(new Door("configuration space", config(), registers, PciPort::answers));
        for (int bar = -1; bar <= BEHIND_THE_LAST_BAR; bar++) {
            doors.add(new Door("BAR " + bar, bar(bar, 0), layout.places(bar), Reach.ANYTHING));
            long start = function.barAddress(bar) - MEMORY_START;
            doors.add(new Door("memory", bus.memory(),
                    layout.places(bar).stream().map(offset -> start + offset).toList(), Reach.ANYTHING));
        }
        return doors;
    }

    // The embedder

    @Override
    public synchronized void reset(ResetKind kind) {
        function.reset(kind);
        if (kind != ResetKind.DEVICE) {
            find();
        }
    }

    @Override
    public void memoryChanged() {
        function.memoryChanged();
    }

    @Override
    public int poll() {
        return function.poll();
    }

    @Override
    public String needsResetReason() {
        return function.needsResetReason();
    }

    // Places

    private static boolean answers(long offset, int width) {
        return width <= Integer.BYTES && offset >= 0 && offset < PciHeader.SPACE_SIZE && offset % width == 0;
    }

    private RegisterHandler structure(int type) {
        PciLayout.Structure found = layout.structure(type);
        return bar(found.bar(), found.offset());
    }

    private RegisterHandler bar(int bar, long base) {
        return new RegisterHandler() {
            @Override
            public long read(long offset, int width) {
                return function.readBar(bar, base + offset, width);
            }

            @Override
            public void write(long offset, int width, long value) {
                function.writeBar(bar, base + offset, width, value);
            }
        };
    }

    private RegisterHandler config() {
        return new RegisterHandler() {
            @Override
            public long read(long offset, int width) {
                return function.readConfig(offset, width);
            }

            @Override
            public void write(long offset, int width, long value) {
                function.writeConfig(offset, width, value);
            }
        };
    }
}
