// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiohost;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.virtio4j.iommu.embedder.IovaRange;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.os.NativeFailureException;
import org.virtio4j.os.vfio.ContainerFile;
import org.virtio4j.os.vfio.IommuInfo;

/**
 * One address space of the host's IOMMU, with the devices that see it. A new container has none, and no mappings. Any
 * thread may call.
 *
 * <p>Add all devices before you make a {@link VfioMirror} and the guest's IOMMU: each device can make the addresses and
 * pages fewer that can be mapped.
 */
public final class VfioContainer implements AutoCloseable {

    private final ContainerFile file;
    private final SysfsPci sysfs;
    private final List<VfioGroup> groups = new ArrayList<>();
    private final List<VfioDevice> devices = new ArrayList<>();

    private VfioContainer(ContainerFile file, SysfsPci sysfs) {
        this.file = file;
        this.sysfs = sysfs;
    }

    /**
     * A new container.
     *
     * @return to be closed
     * @throws IOException if this host has no VFIO with an IOMMU of type 1, or this process may not use it
     */
    public static VfioContainer open() throws IOException {
        return new VfioContainer(ContainerFile.open(), SysfsPci.HOST);
    }

    /**
     * Opens a device, and puts its group into the container if it is not there.
     *
     * @param address of a PCI function, such as {@code 0000:00:05.0}; all devices of its group are bound to vfio-pci
     * @return the device, which does not do DMA yet; the container closes it
     * @throws IOException if there is no such device, its group is not viable or in other hands, or its IOMMU cannot be
     *         shared with the devices that are here; the message says what to do
     * @throws IllegalArgumentException if {@code address} is none
     */
    public synchronized VfioDevice device(String address) throws IOException {
        String name = SysfsPci.name(address);
        VfioDevice device = VfioDevice.open(name, group(sysfs.group(name)));
        devices.add(device);
        return device;
    }

    private VfioGroup group(int number) throws IOException {
        for (VfioGroup group : groups) {
            if (group.number() == number) {
                return group;
            }
        }
        VfioGroup group = VfioGroup.open(number, sysfs);
        try {
            group.enter(file);
            if (groups.isEmpty()) {
                file.chooseIommu();
            }
        } catch (IOException | RuntimeException | Error refused) {
            group.close();
            throw refused;
        }
        groups.add(group);
        return group;
    }

    /**
     * The devices, in the order in which they were opened.
     *
     * @return as of now
     */
    public synchronized List<VfioDevice> devices() {
        return List.copyOf(devices);
    }

    /**
     * The groups, in the order in which they came.
     *
     * @return as of now
     */
    public synchronized List<VfioGroup> groups() {
        return List.copyOf(groups);
    }

    /**
     * The sizes of pages that can be mapped, for {@code VirtioIommuBuilder.pageSizeMask}.
     *
     * @return a bit for each size, in bytes
     * @throws IllegalStateException before the first device was opened
     */
    public long pageSizeMask() {
        return info().pageSizes();
    }

    /**
     * The addresses that can be mapped for all devices here.
     *
     * @return in ascending order; empty if the host does not say, as before Linux 5.4
     * @throws IllegalStateException before the first device was opened
     */
    public List<IovaRange> usableRanges() {
        return info().ranges().stream().map(range -> new IovaRange(range.start(), range.end())).toList();
    }

    /**
     * What the guest must leave free: everything that the host cannot map, and what the guest's board reserves itself.
     *
     * @param board such as {@link ReservedRegions#X86_MSI}; its regions keep their kind
     * @return for {@code VirtioIommuBuilder.endpoint}
     * @throws IllegalStateException before the first device was opened
     */
    public ReservedRegions reserved(ReservedRegions board) {
        return UsableAddresses.withoutHoles(usableRanges(), board);
    }

    /**
     * How many more mappings there may be, {@code dma_entry_limit} of {@code vfio_iommu_type1} at the start.
     *
     * @return a count; -1 if the host does not say, as before Linux 5.10
     * @throws IllegalStateException before the first device was opened
     */
    public long mappingsAvailable() {
        return info().mappingsAvailable();
    }

    private synchronized IommuInfo info() {
        if (groups.isEmpty()) {
            throw new IllegalStateException("the container has no device yet, and so no IOMMU; open a device first");
        }
        try {
            return file.info();
        } catch (NativeFailureException impossible) {
            throw new IllegalStateException("the container was closed, or its devices are gone", impossible);
        }
    }

    /** What a mirror needs of this container. */
    HostIommu host() {
        return new HostIommu() {
            @Override
            public long pageSizeMask() {
                return VfioContainer.this.pageSizeMask();
            }

            @Override
            public int map(long iova, long host, long size, boolean readable, boolean writable) {
                return file.map(iova, host, size, readable, writable);
            }

            @Override
            public long unmap(long iova, long size) {
                return file.unmap(iova, size);
            }

            @Override
            public String cutOff() {
                return cutOffDevices();
            }
        };
    }

    private synchronized String cutOffDevices() {
        StringBuilder left = new StringBuilder();
        for (VfioDevice device : devices) {
            try {
                device.cutOff();
            } catch (IOException | RuntimeException refused) {
                // Whatever it was: the other devices must be cut off, too.
                left.append(left.isEmpty() ? "" : "; ").append(device).append(" is not cut off: ")
                        .append(refused.getMessage()).append(release(device));
            }
        }
        return left.toString();
    }

    /** Closes a device, which resets it if it can be, and takes its group out of the container. */
    private static String release(VfioDevice device) {
        try {
            device.close();
            device.group().leave();
            return ", so it was closed, and " + device.group() + " left the container";
        } catch (IOException | RuntimeException refused) {
            return ", and neither is " + device.group() + ": " + refused.getMessage();
        }
    }

    /** Closes devices, groups and the address space, in this order. All mappings go, and memory is unpinned. */
    @Override
    public synchronized void close() {
        devices.forEach(VfioDevice::close);
        groups.forEach(VfioGroup::close);
        file.close();
        devices.clear();
        groups.clear();
    }
}
