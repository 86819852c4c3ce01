// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.NearestName;
import org.virtio4j.endpoint.DiskLock;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioBlockBuilder;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.iommu.VirtioIommuBuilder;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.serving.plan.DevicePlan;
import org.virtio4j.serving.plan.Idling;
import org.virtio4j.serving.plan.IommuPlan;
import org.virtio4j.serving.plan.MachinePlan;
import org.virtio4j.serving.plan.MemoryPlan;

/** Makes the plans of the machines in a {@link ConfigFile}; {@code docs/qemu.md} says what each key means. */
public final class MachineReader {

    static final String ADDRESS = "address";
    static final String POLL = "poll";
    static final String IDLE = "idle";

    private static final String MACHINE = "machine";
    private static final String NAMELESS = "guest";
    private static final String IOMMU = "iommu";
    private static final String DISK = "disk";
    private static final String RNG = "rng";
    private static final List<String> SECTIONS = List.of(MACHINE, IOMMU, DISK, RNG);

    private static final String FOLDER = "folder";
    private static final String MEMORY = "memory";
    private static final String MEMORY_FILE = "memory-file";
    private static final String SEALED_MEMORY = "sealed-memory";
    private static final String TRANSLATED = "iommu";
    private static final String FILE = "file";
    private static final String READ_ONLY = "read-only";
    private static final String QUEUES = "queues";
    private static final String QUEUE_SIZE = "queue-size";
    private static final String BLOCK_SIZE = "block-size";
    private static final String ID = "id";
    private static final String LOCK = "lock";
    private static final List<String> MACHINE_KEYS = List.of(FOLDER, MEMORY, MEMORY_FILE, SEALED_MEMORY);
    private static final List<String> RNG_KEYS = List.of(ADDRESS, TRANSLATED, IommuReader.RESERVED, POLL,
            IDLE);
    private static final List<String> DISK_KEYS = List.of(ADDRESS, TRANSLATED, IommuReader.RESERVED, FILE, READ_ONLY,
            QUEUES, QUEUE_SIZE, BLOCK_SIZE, ID, LOCK, POLL, IDLE);

    /** In {@code st_mode}. */
    private static final int FILE_TYPE = 0xf000;
    private static final int BLOCK_DEVICE = 0x6000;

    private static final int LEAST_MEMORY = 1;
    private static final int MOST_MEMORY = 1 << 20;
    private static final int MOST_QUEUES = 1024;
    private static final int LARGEST_BLOCK = 65_536;

    /** The disks that are written to, of all machines: two machines that write to one file destroy it. */
    private final Map<Path, ConfigSection> diskFiles = new HashMap<>();
    private final Map<Path, ConfigSection> folders = new HashMap<>();
    private final Map<Path, ConfigSection> memoryFiles = new HashMap<>();

    /** All disks, also those that are only read. */
    private final Map<Path, ConfigSection> disks = new LinkedHashMap<>();
    private final Map<String, ConfigSection> names = new HashMap<>();

    private MachineReader() {
    }

    /**
     * Reads a configuration.
     *
     * @param file in the form of a {@link ConfigFile}
     * @return the machines in order, at least one
     * @throws CommandFailure if it cannot be read or makes no sense; it names file and line
     */
    public static List<MachinePlan> read(Path file) throws CommandFailure {
        return read(file, null);
    }

    /**
     * Reads a configuration for a caller that writes to a file while the machines are served.
     *
     * @param file    in the form of a {@link ConfigFile}
     * @param written what is to be written or replaced, if anything
     * @return the machines in order, at least one
     * @throws CommandFailure also if the written file is the configuration, a disk or the memory of a machine
     */
    public static List<MachinePlan> read(Path file, @Nullable Path written) throws CommandFailure {
        List<List<ConfigSection>> groups = new ArrayList<>();
        for (ConfigSection section : ConfigFile.read(file)) {
            if (!SECTIONS.contains(section.kind())) {
                throw section.failure("unknown section [" + section.kind() + "]"
                        + NearestName.hint(section.kind(), SECTIONS));
            }
            if (section.kind().equals(MACHINE)) {
                groups.add(new ArrayList<>());
            } else if (groups.isEmpty()) {
                throw section.failure("expected [machine] first, found [" + section.kind() + "]");
            }
            groups.getLast().add(section);
        }
        if (groups.isEmpty()) {
            throw new CommandFailure(file + ": expected a section [machine], found none");
        }
        MachineReader reader = new MachineReader();
        List<MachinePlan> plans = new ArrayList<>();
        for (List<ConfigSection> group : groups) {
            plans.add(reader.machine(group.getFirst(), group.subList(1, group.size())));
        }
        reader.refuseTwoUses();
        if (written != null) {
            reader.refuseToWrite(file, written);
        }
        return plans;
    }

    /** QEMU writes the guest's RAM to its file. */
    private void refuseTwoUses() throws CommandFailure {
        for (Map.Entry<Path, ConfigSection> disk : disks.entrySet()) {
            ConfigSection memory = memoryFiles.get(disk.getKey());
            if (memory != null) {
                throw disk.getValue().failure(FILE, "expected a disk, found the " + MEMORY_FILE + " of [" + MACHINE
                        + "] of line " + memory.line());
            }
        }
    }

    private void refuseToWrite(Path config, Path written) throws CommandFailure {
        Path real = real(written);
        ConfigSection disk = disks.get(real);
        ConfigSection memory = memoryFiles.get(real);
        String what = real.equals(real(config)) ? "the configuration"
                : disk != null ? "the disk of line " + disk.line()
                : memory != null ? "the memory of the machine of line " + memory.line() : "";
        if (!what.isEmpty()) {
            throw new CommandFailure(written + ": expected a file that may be replaced, found " + what);
        }
    }

    private MachinePlan machine(ConfigSection machine, List<ConfigSection> parts) throws CommandFailure {
        machine.allow(MACHINE_KEYS);
        String name = machine.name().isEmpty() ? NAMELESS : machine.name();
        unique(names, name, machine, "machine " + name);
        Path folder = machine.path(FOLDER);
        unique(folders, real(folder), machine, FOLDER + " " + folder);
        ConfigSection iommu = iommu(machine, parts);
        iommu.allow(IommuReader.KEYS);
        Consumer<VirtioIommuBuilder> settings = IommuReader.read(iommu);
        Optional<Idling> polling = polling(iommu);
        Map<PciAddress, ConfigSection> addresses = new HashMap<>();
        IommuPlan iommuPlan = new IommuPlan(address(iommu, addresses), settings, polling);
        List<DevicePlan> devices = devices(iommu, parts, addresses, iommuPlan);
        return new MachinePlan(name, folder, memory(machine), iommuPlan, devices);
    }

    private MemoryPlan memory(ConfigSection machine) throws CommandFailure {
        int mebibytes = (int) machine.number(MEMORY, 512, LEAST_MEMORY, MOST_MEMORY);
        return new MemoryPlan(mebibytes, memoryFile(machine), machine.flag(SEALED_MEMORY, false));
    }

    private List<DevicePlan> devices(ConfigSection iommu, List<ConfigSection> parts,
            Map<PciAddress, ConfigSection> addresses, IommuPlan iommuPlan) throws CommandFailure {
        ReservedRegions reserved = IommuReader.reserved(iommu, ReservedRegions.X86_MSI);
        List<DevicePlan> devices = new ArrayList<>();
        for (ConfigSection part : parts) {
            if (part != iommu) {
                DevicePlan device = device(part, addresses, reserved);
                if (device.translated()) {
                    IommuReader.check(iommuPlan.builder(), device.reserved(), part, iommu);
                }
                devices.add(device);
            }
        }
        if (devices.stream().noneMatch(DevicePlan::translated)) {
            throw iommu.failure("expected a device behind the IOMMU, found none");
        }
        return devices;
    }

    private static Optional<Idling> polling(ConfigSection section) throws CommandFailure {
        boolean polled = section.flag(POLL, false);
        if (section.has(IDLE) && !polled) {
            throw section.failure(IDLE, "expected with " + POLL + " = yes only: without it no thread idles");
        }
        return polled ? Optional.of(section.has(IDLE) ? section.parsed(IDLE, Idling::of) : Idling.BACKOFF)
                : Optional.empty();
    }

    /** QEMU makes the file if it is not there, but no folder for it; in a folder it makes a file without a name. */
    private Optional<Path> memoryFile(ConfigSection machine) throws CommandFailure {
        if (!machine.has(MEMORY_FILE)) {
            return Optional.empty();
        }
        Path file = machine.path(MEMORY_FILE);
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw machine.failure(MEMORY_FILE, "expected a file, or none yet, found something else: " + file);
        }
        Path folder = file.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw machine.failure(MEMORY_FILE, "expected a file in a folder that is there, found no folder "
                    + folder);
        }
        unique(memoryFiles, real(file), machine, MEMORY_FILE + " " + file);
        return Optional.of(file);
    }

    /** The name that all links to a file have in common. A file that does not exist keeps its own name. */
    private static Path real(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        Path folder = absolute.getParent();
        try {
            if (Files.exists(absolute) || folder == null) {
                return absolute.toRealPath();
            }
            return folder.toRealPath().resolve(absolute.getFileName());
        } catch (IOException nothingThere) {
            return absolute;
        }
    }

    private static ConfigSection iommu(ConfigSection machine, List<ConfigSection> parts) throws CommandFailure {
        @Nullable ConfigSection found = null;
        for (ConfigSection part : parts) {
            if (part.kind().equals(IOMMU)) {
                if (found != null) {
                    throw part.failure("expected one [iommu] in a machine, found one on line " + found.line()
                            + " too");
                }
                found = part;
            }
        }
        if (found == null) {
            throw machine.failure("expected a section [iommu] in the machine, found none");
        }
        return found;
    }

    private DevicePlan device(ConfigSection section, Map<PciAddress, ConfigSection> addresses,
            ReservedRegions otherwise) throws CommandFailure {
        boolean disk = section.kind().equals(DISK);
        section.allow(disk ? DISK_KEYS : RNG_KEYS);
        PciAddress address = address(section, addresses);
        String socket = String.format(Locale.ROOT, "%s-%02x.%d", section.kind(), address.device(), address.function());
        Optional<Idling> polling = polling(section);
        return new DevicePlan(socket, address, section.flag(TRANSLATED, true),
                IommuReader.reserved(section, otherwise),
                disk ? disk(section, polling.isPresent())::build : rng(polling.isPresent()), polling);
    }

    private static DevicePlan.DeviceMaker rng(boolean polled) {
        return polled ? VirtioEntropy::polled : VirtioEntropy::new;
    }

    private VirtioBlockBuilder disk(ConfigSection section, boolean polled) throws CommandFailure {
        VirtioBlockBuilder builder = disk(section);
        return polled ? builder.polled() : builder;
    }

    private VirtioBlockBuilder disk(ConfigSection section) throws CommandFailure {
        Path file = section.path(FILE);
        if (!Files.isRegularFile(file) && !isBlockDevice(file)) {
            throw section.failure(FILE, "expected a file or block device to be the disk, found "
                    + (Files.exists(file) ? "something else: " : "none: ") + file);
        }
        boolean readOnly = section.flag(READ_ONLY, false);
        if (!(readOnly ? Files.isReadable(file) : Files.isWritable(file) && Files.isReadable(file))) {
            throw section.failure(FILE, "expected permission to " + (readOnly ? "read " : "read and write ") + file
                    + ", found none");
        }
        if (!readOnly) {
            unique(diskFiles, file, section, "disk " + file);
        }
        disks.putIfAbsent(real(file), section);
        VirtioBlockBuilder builder = VirtioBlock.builder(file)
                .queues((int) section.number(QUEUES, 1, 1, MOST_QUEUES));
        if (section.has(QUEUE_SIZE)) {
            int entries = IommuReader.entries(section, QUEUE_SIZE, 0);
            section.parsed(QUEUE_SIZE, text -> builder.queueSize(entries));
        }
        if (section.has(BLOCK_SIZE)) {
            int size = (int) section.number(BLOCK_SIZE, 0, 1, LARGEST_BLOCK);
            section.parsed(BLOCK_SIZE, text -> builder.blockSize(size));
        }
        if (section.has(ID)) {
            section.parsed(ID, builder::id);
        }
        if (section.has(LOCK)) {
            section.parsed(LOCK, text -> builder.lock(lock(text)));
        }
        return readOnly ? builder.readOnly() : builder;
    }

    private static boolean isBlockDevice(Path file) throws CommandFailure {
        try {
            return Files.exists(file) && file.getFileSystem().supportedFileAttributeViews().contains("unix")
                    && ((int) Files.getAttribute(file, "unix:mode") & FILE_TYPE) == BLOCK_DEVICE;
        } catch (IOException refused) {
            throw new CommandFailure(file + ": " + refused.getMessage());
        }
    }

    private static DiskLock lock(String text) {
        return switch (text) {
            case "auto" -> DiskLock.AUTO;
            case "on" -> DiskLock.ON;
            case "off" -> DiskLock.OFF;
            default -> throw new IllegalArgumentException("expected auto, on or off, found '" + text + "'");
        };
    }

    private static PciAddress address(ConfigSection section, Map<PciAddress, ConfigSection> taken)
            throws CommandFailure {
        PciAddress address = section.parsed(ADDRESS, PciAddress::of);
        if (address.bus() != 0 || address.function() != 0) {
            throw section.failure(ADDRESS, "expected 00:DEVICE.0, a device of its own on the root bus, found '"
                    + address + "'");
        }
        ConfigSection before = taken.putIfAbsent(address, section);
        if (before != null) {
            throw section.failure(ADDRESS, "expected one function at " + address + ", found [" + before.kind()
                    + "] of line " + before.line() + " there too");
        }
        return address;
    }

    private static <T> void unique(Map<T, ConfigSection> seen, T what, ConfigSection section, String words)
            throws CommandFailure {
        ConfigSection before = seen.putIfAbsent(what, section);
        if (before != null) {
            throw section.failure("expected each " + words + " once, found one on line " + before.line() + " too");
        }
    }
}
