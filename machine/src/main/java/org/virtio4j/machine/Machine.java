// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.virtio4j.device.ResetKind;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.FirstFailure;

/**
 * The functions and windows of one guest, which are reset and closed together. A {@link Topology} says who is an IOMMU.
 * They may come and go while the guest runs. Any thread, but not one inside a section of a device's DMA; calls wait for
 * one another.
 *
 * <p>It knows places, not devices: that a function at an IOMMU's place is an IOMMU, and that an endpoint's DMA goes
 * through that IOMMU's translator, is for the embedder to see to.
 */
public final class Machine implements AutoCloseable {

    private final Topology topology;
    private final Map<Location, Part> iommus = new LinkedHashMap<>();
    private final Map<Location, Part> devices = new TreeMap<>(Machine::compare);

    /** Two resets at once would each see half of the other's work, and what comes or goes would be reset or not. */
    private final ReentrantLock lock = new ReentrantLock();

    /**
     * Begins a machine.
     *
     * @param topology says where IOMMUs lie
     */
    public Machine(Topology topology) {
        this.topology = topology;
    }

    /** What a machine does with a function or window. */
    private record Part(Consumer<ResetKind> reset, Runnable close) {
    }

    /**
     * Adds a function: an IOMMU, if the topology says so, or a device.
     *
     * @param address  where it lies
     * @param function the function
     * @throws IllegalArgumentException if another function has this address
     */
    public void add(PciAddress address, VirtioPciFunction function) {
        put(address, new Part(function::reset, function::close));
    }

    /**
     * Adds a window: an IOMMU, if the topology says so, or a device.
     *
     * @param base   where it lies
     * @param window the window
     * @throws IllegalArgumentException if another window lies there
     */
    public void add(MmioBase base, VirtioMmioDevice window) {
        put(base, new Part(window::reset, window::close));
    }

    /**
     * Ends a function or window and forgets it: afterwards it reaches no memory, sends no interrupt, and is not reset
     * with the others. What shows its registers to the guest must have let go of it before, or shows a closed one: a
     * {@link org.virtio4j.pci.PciBus}, or a host's own table. An endpoint is unplugged from its IOMMU, and the device
     * closed, after this. What the device throws comes out when it is forgotten.
     *
     * @param location where it lies
     * @throws IllegalArgumentException if nothing lies there
     */
    public void remove(Location location) {
        lock.lock();
        try {
            Part part = devices.remove(location);
            Part removed = part == null ? iommus.remove(location) : part;
            if (removed == null) {
                throw new IllegalArgumentException("location=" + location + ": nothing lies there");
            }
            removed.close().run();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Does what the machine's reset line does. All devices that do DMA stop before an IOMMU drops its domains, so that
     * no endpoint needs to be blocked meanwhile. A reset of a function that takes longer than a second, because a
     * host's file hangs, is finished later; the function reaches no memory any more. What a device throws comes out
     * when all others were reset.
     */
    public void systemReset() {
        forEach(part -> part.reset().accept(ResetKind.SYSTEM));
    }

    /**
     * Ends all functions and windows, those that do DMA before those of IOMMUs. The embedder closes their devices after
     * this. What a device throws comes out when all others were closed.
     */
    @Override
    public void close() {
        forEach(part -> part.close().run());
    }

    /** IOMMUs come last. What one part throws comes out when all have had their turn. */
    private void forEach(Consumer<Part> action) {
        lock.lock();
        try {
            FirstFailure failure = new FirstFailure();
            devices.values().forEach(part -> failure.run(() -> action.accept(part)));
            iommus.values().forEach(part -> failure.run(() -> action.accept(part)));
            failure.rethrow();
        } finally {
            lock.unlock();
        }
    }

    private void put(Location location, Part part) {
        lock.lock();
        try {
            if (iommus.containsKey(location) || devices.containsKey(location)) {
                throw new IllegalArgumentException("location=" + location + ": something else lies there");
            }
            (topology.scope(location).isPresent() ? iommus : devices).put(location, part);
        } finally {
            lock.unlock();
        }
    }

    /** An order that is the same each time: functions by their addresses, then windows. */
    private static int compare(Location one, Location other) {
        return switch (one) {
            case PciAddress address -> other instanceof PciAddress next ? address.compareTo(next) : -1;
            case MmioBase base -> other instanceof MmioBase next
                    ? Long.compareUnsigned(base.address(), next.address()) : 1;
        };
    }
}
