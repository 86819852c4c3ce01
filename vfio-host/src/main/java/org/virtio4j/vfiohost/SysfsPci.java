// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiohost;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What Linux tells of PCI functions and their groups.
 *
 * @param root {@code /sys}
 */
record SysfsPci(Path root) {

    static final SysfsPci HOST = new SysfsPci(Path.of("/sys"));

    private static final Pattern ADDRESS = Pattern.compile("([0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-1][0-9a-f]\\.[0-7]");

    /** The name that Linux gives a function. */
    static String name(String address) {
        if (!ADDRESS.matcher(address).matches()) {
            throw new IllegalArgumentException("address=" + address
                    + " is no function of PCI; write it as lspci does, such as 0000:00:05.0");
        }
        return address.indexOf(':') == address.lastIndexOf(':') ? "0000:" + address : address;
    }

    /** The number of the group that a function is in. */
    int group(String name) throws IOException {
        Path device = root.resolve("bus/pci/devices").resolve(name);
        if (!Files.exists(device)) {
            throw new NoSuchFileException(device.toString(), null, "this host has no such function of PCI");
        }
        Path link = device.resolve("iommu_group");
        if (!Files.exists(link)) {
            throw new NoSuchFileException(link.toString(), null, "the host's IOMMU is not before this function;"
                    + " switch it on in the firmware, and on the command line of Linux (Intel's by intel_iommu=on)");
        }
        return Integer.parseInt(String.valueOf(link.toRealPath().getFileName()));
    }

    /** The devices of a group, each with the driver that has it, for a message. */
    String members(int group) throws IOException {
        try (Stream<Path> devices = Files.list(root.resolve("kernel/iommu_groups/" + group + "/devices"))) {
            List<String> names = devices.map(device -> device.getFileName() + " " + driver(device)).sorted().toList();
            return String.join(", ", names);
        }
    }

    private static String driver(Path device) {
        try {
            return "(" + device.resolve("driver").toRealPath().getFileName() + ")";
        } catch (IOException none) {
            return "(no driver)";
        }
    }
}
