// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.serving.plan.BoardPlan;

/** The part of QEMU's command line that has to do with functions another process serves. */
public final class QemuArguments {

    private static final String MEMORY = "memory";
    private static final String NEEDS_NO_QUOTES = "[A-Za-z0-9_@%+=:,./-]+";

    private final List<String> words = new ArrayList<>();

    /** None yet. */
    public QemuArguments() {
    }

    /**
     * A machine whose RAM is what {@link #memory} says.
     *
     * @param type what QEMU calls it
     * @return this
     */
    public QemuArguments machine(String type) {
        return add("-machine", type + ",memory-backend=" + MEMORY);
    }

    /**
     * The processors of a machine.
     *
     * @param board says which and how many; what it does not say is left to QEMU
     * @return this
     */
    public QemuArguments processors(BoardPlan board) {
        board.cpu().ifPresent(name -> add("-cpu", name));
        board.processors().ifPresent(count -> add("-smp", Integer.toString(count)));
        return this;
    }

    /**
     * RAM in memory that QEMU hands to other processes as a file descriptor.
     *
     * @param mebibytes how much
     * @return this
     */
    public QemuArguments memory(int mebibytes) {
        return add("-m", mebibytes + "M",
                "-object", "memory-backend-memfd,id=" + MEMORY + ",size=" + mebibytes + "M,share=on");
    }

    /**
     * RAM in a file that other processes can open by its name.
     *
     * @param mebibytes how much
     * @param file made by QEMU if it is not there
     * @return this
     */
    public QemuArguments memory(int mebibytes, Path file) {
        return add("-m", mebibytes + "M", "-object", "memory-backend-file,id=" + MEMORY + ",size=" + mebibytes
                + "M,share=on,mem-path=" + value(file));
    }

    /**
     * The table that names an IOMMU's endpoints; QEMU puts the header before the bytes of the file.
     *
     * @param body the file
     * @return this
     */
    public QemuArguments viot(Path body) {
        return add("-acpitable", "sig=VIOT,rev=0,oem_id=VIRTIO,oem_table_id=VIRTIO4J,data=" + value(body));
    }

    /**
     * An ACPI table that the guest gets as it is.
     *
     * @param table the file, with the header that all such tables have
     * @return this
     */
    public QemuArguments acpiTable(Path table) {
        return add("-acpitable", "file=" + value(table));
    }

    /**
     * A device tree in place of the one that QEMU makes.
     *
     * @param file in the binary form
     * @return this
     */
    public QemuArguments tree(Path file) {
        return add("-dtb", file.toString());
    }

    /**
     * A function that another process serves.
     *
     * @param address on bus 0
     * @param socket  where it is served
     * @return this
     */
    public QemuArguments served(PciAddress address, Path socket) {
        return add("-device", "{\"driver\":\"vfio-user-pci\",\"addr\":\"" + slot(address)
                + "\",\"socket\":{\"type\":\"unix\",\"path\":\"" + json(socket) + "\"}}");
    }

    /**
     * A root port, behind which a function can be plugged while the guest runs.
     *
     * @param address on bus 0
     * @param bus the bus behind it, 1 to 255; no other root port has the same
     * @return this
     */
    public QemuArguments rootPort(PciAddress address, int bus) {
        return add("-device", "pcie-root-port,id=" + port(address) + ",bus=pcie.0,addr=" + slot(address)
                + ",chassis=" + bus + ",slot=" + bus);
    }

    /**
     * A command of QMP that plugs a function behind a root port.
     *
     * @param name by which it is unplugged
     * @param port where the root port lies
     * @param socket where the function is served
     * @return one line of JSON
     */
    public static String plug(String name, PciAddress port, Path socket) {
        return "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"vfio-user-pci\",\"id\":\"" + name
                + "\",\"bus\":\"" + port(port) + "\",\"socket\":{\"type\":\"unix\",\"path\":\"" + json(socket)
                + "\"}}}";
    }

    /**
     * A command of QMP that asks the guest to give a function back. It is gone at the event DEVICE_DELETED.
     *
     * @param name as it was plugged
     * @return one line of JSON
     */
    public static String unplug(String name) {
        return "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"" + name + "\"}}";
    }

    /**
     * A function that another process serves to an s390x machine, which knows functions by numbers of their own.
     *
     * @param number of this function alone, from 1
     * @param socket where it is served
     * @return this
     */
    public QemuArguments servedToS390x(int number, Path socket) {
        String id = "function" + number;
        return add("-device", "zpci,uid=" + number + ",fid=" + number + ",target=" + id,
                "-device", "{\"driver\":\"vfio-user-pci\",\"id\":\"" + id
                        + "\",\"socket\":{\"type\":\"unix\",\"path\":\"" + json(socket) + "\"}}");
    }

    /**
     * The arguments one by one, as a process takes them.
     *
     * @return words without quotes
     */
    public List<String> words() {
        return List.copyOf(words);
    }

    /**
     * The arguments as one types them into a shell: an option and its value on each line.
     *
     * @return lines of which all but the last end in a backslash
     */
    public String shell() {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < words.size(); i += 2) {
            lines.add("  " + words.get(i) + " " + quoted(words.get(i + 1)));
        }
        return String.join(" \\\n", lines) + "\n";
    }

    /**
     * A place on QEMU's root bus, which is bus 0.
     *
     * @param address where
     * @return as QEMU's property {@code addr} takes it
     * @throws IllegalArgumentException if it is on another bus
     */
    public static String slot(PciAddress address) {
        if (address.segment() != 0 || address.bus() != 0) {
            throw new IllegalArgumentException("address=" + address + ": must be on bus 00 of segment 0");
        }
        return Integer.toHexString(address.device()) + "." + address.function();
    }

    /**
     * A file within a list of NAME=VALUE, where a comma stands doubled.
     *
     * @param file any
     * @return the value
     */
    public static String value(Path file) {
        return file.toString().replace(",", ",,");
    }

    private static String port(PciAddress address) {
        return "port-" + slot(address);
    }

    private QemuArguments add(String... more) {
        words.addAll(List.of(more));
        return this;
    }

    private static String json(Path file) {
        return file.toString().replace("\\", "\\\\").replace("\"", "\\\"");
    }

    private static String quoted(String word) {
        return word.matches(NEEDS_NO_QUOTES) ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
