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
 * A machine is put together before the guest runs, by one thread; any thread may reset it.
 *
 * <p>It knows places, not devices: that a function at an IOMMU's place is an IOMMU, and that an endpoint's DMA goes
 * through that IOMMU's translator, is for the embedder to see to.
 */
public final class Machine implements AutoCloseable {

    private final Topology topology;
    private final Map<Location, Part> iommus = new LinkedHashMap<>();
    private final Map<Location, Part> devices = new TreeMap<>(Machine::compare);

    /** Two resets at once would each see half of the other's work. */
    private final ReentrantLock resetting = new ReentrantLock();

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
        resetting.lock();
        try {
            FirstFailure failure = new FirstFailure();
            devices.values().forEach(part -> failure.run(() -> action.accept(part)));
            iommus.values().forEach(part -> failure.run(() -> action.accept(part)));
            failure.rethrow();
        } finally {
            resetting.unlock();
        }
    }

    private void put(Location location, Part part) {
        if (iommus.containsKey(location) || devices.containsKey(location)) {
            throw new IllegalArgumentException("location=" + location + ": something else lies there");
        }
        (topology.scope(location).isPresent() ? iommus : devices).put(location, part);
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
