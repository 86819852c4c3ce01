// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiohost;

import java.io.IOException;
import org.virtio4j.os.Errno;
import org.virtio4j.os.NativeFailureException;
import org.virtio4j.os.vfio.ContainerFile;
import org.virtio4j.os.vfio.DeviceFile;
import org.virtio4j.os.vfio.GroupFile;

/**
 * Devices that the host's IOMMU cannot separate. They are in one container, or in none. {@link VfioContainer#device}
 * opens the group of a device, and the container closes it.
 */
public final class VfioGroup {

    private final int number;
    private final GroupFile file;

    private VfioGroup(int number, GroupFile file) {
        this.number = number;
        this.file = file;
    }

    static VfioGroup open(int number, SysfsPci sysfs) throws IOException {
        GroupFile file = opened(number, sysfs);
        try {
            if (!file.isViable()) {
                throw new IOException("group " + number + " is not viable: all its devices must be bound to vfio-pci,"
                        + " or to no driver; it has " + sysfs.members(number));
            }
            return new VfioGroup(number, file);
        } catch (IOException | RuntimeException | Error refused) {
            file.close();
            throw refused;
        }
    }

    private static GroupFile opened(int number, SysfsPci sysfs) throws IOException {
        try {
            return GroupFile.open(number);
        } catch (NativeFailureException refused) {
            String advice = switch (refused.errno()) {
                case Errno.ENOENT -> "bind its devices to vfio-pci; it has " + sysfs.members(number);
                case Errno.EBUSY -> "another program has it, or another container of this one";
                case Errno.EACCES -> "let this user read and write /dev/vfio/" + number;
                default -> "see the kernel's log";
            };
            throw new IOException(refused.getMessage() + "; " + advice, refused);
        }
    }

    /**
     * Its number in {@code /sys/kernel/iommu_groups}.
     *
     * @return the number
     */
    public int number() {
        return number;
    }

    void enter(ContainerFile container) throws IOException {
        file.enter(container);
    }

    void leave() throws IOException {
        file.leave();
    }

    DeviceFile device(String name) throws IOException {
        return file.device(name);
    }

    void close() {
        file.close();
    }

    @Override
    public String toString() {
        return "group " + number;
    }
}
