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
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.endpoint.DiskLock;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioBlockBuilder;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.serving.config.ConfigFile.MachineTables;
import org.virtio4j.serving.console.ConsoleSocket;
import org.virtio4j.serving.plan.Board;
import org.virtio4j.serving.plan.BoardPlan;
import org.virtio4j.serving.plan.DevicePlan;
import org.virtio4j.serving.plan.Idling;
import org.virtio4j.serving.plan.IommuPlan;
import org.virtio4j.serving.plan.MachinePlan;
import org.virtio4j.serving.plan.MemoryPlan;

/** Makes the plans of the machines in a configuration; {@code docs/qemu.md} says what each key means. */
public final class MachineReader {

    private static final String NAMELESS = "guest";
    private static final Pattern NAME = Pattern.compile("[\\S&&[^\\p{C}]]+");

    /** In {@code st_mode}. */
    private static final int FILE_TYPE = 0xf000;
    private static final int BLOCK_DEVICE = 0x6000;

    /** The disks that are written to, of all machines: two machines that write to one file destroy it. */
    private final Map<Path, ConfigSection> diskFiles = new HashMap<>();
    private final Map<Path, ConfigSection> folders = new HashMap<>();
    private final Map<Path, ConfigSection> memoryFiles = new HashMap<>();

    /** All disks, also those that are only read. */
    private final Map<Path, ConfigSection> disks = new LinkedHashMap<>();
    private final Map<Path, ConfigSection> consoles = new HashMap<>();
    private final Map<Path, ConfigSection> trees = new HashMap<>();
    private final Map<String, ConfigSection> names = new HashMap<>();

    /** What the user should know of a configuration that can be served. */
    private final List<String> notices = new ArrayList<>();

    /** Whether disks and folders are looked at, or only what the configuration says about them. */
    private final boolean looksAtFiles;

    private MachineReader(boolean looksAtFiles) {
        this.looksAtFiles = looksAtFiles;
    }

    /**
     * Reads a configuration.
     *
     * @param file in TOML or the former format
     * @return the machines in order, at least one
     * @throws CommandFailure if it cannot be read or makes no sense; it names file, line and column
     */
    public static List<MachinePlan> read(Path file) throws CommandFailure {
        return read(file, null, notice -> { });
    }

    /**
     * Reads a configuration for a caller that writes to a file while the machines are served.
     *
     * @param file    in TOML or the former format
     * @param written what is to be written or replaced, if anything
     * @param notices gets a line if the file is of the former format, and one for each region that is another board's
     * @return the machines in order, at least one
     * @throws CommandFailure also if the written file is the configuration, a disk or the memory of a machine
     */
    public static List<MachinePlan> read(Path file, @Nullable Path written, Consumer<String> notices)
            throws CommandFailure {
        ConfigFile config = ConfigFile.read(file);
        MachineReader reader = new MachineReader(true);
        List<MachinePlan> plans = reader.machines(config);
        if (written != null) {
            reader.refuseToWrite(file, written);
        }
        if (config.former()) {
            notices.accept(FormerToToml.notice(file));
        }
        reader.notices.forEach(notices);
        return plans;
    }

    /** Refuses what makes no sense on any computer, whatever files this one has. */
    static void check(ConfigFile config) throws CommandFailure {
        new MachineReader(false).machines(config);
    }

    private List<MachinePlan> machines(ConfigFile config) throws CommandFailure {
        List<MachinePlan> plans = new ArrayList<>();
        for (MachineTables machine : config.machines()) {
            plans.add(machine(machine));
        }
        refuseTwoUses();
        return plans;
    }

    /** QEMU writes the guest's RAM to its file. */
    private void refuseTwoUses() throws CommandFailure {
        for (Map.Entry<Path, ConfigSection> disk : disks.entrySet()) {
            ConfigSection memory = memoryFiles.get(disk.getKey());
            if (memory != null) {
                throw disk.getValue().failure(Keys.FILE, "expected a disk, found the " + Keys.MEMORY_FILE + " of "
                        + memory.header() + " of line " + memory.line());
            }
        }
    }

    private void refuseToWrite(Path config, Path written) throws CommandFailure {
        Path real = real(written);
        ConfigSection disk = disks.get(real);
        ConfigSection memory = memoryFiles.get(real);
        ConfigSection tree = trees.get(real);
        String what = real.equals(real(config)) ? "the configuration"
                : disk != null ? "the disk of line " + disk.line()
                : memory != null ? "the memory of the machine of line " + memory.line()
                : tree != null ? "the tree of the machine of line " + tree.line() : "";
        if (!what.isEmpty()) {
            throw new CommandFailure(written + ": expected a file that may be replaced, found " + what);
        }
    }

    private MachinePlan machine(MachineTables tables) throws CommandFailure {
        ConfigSection machine = tables.machine();
        ConfigSection iommu = tables.iommu();
        String name = name(machine);
        unique(names, name, machine, "machine " + name);
        Path folder = machine.path(Keys.FOLDER);
        unique(folders, real(folder), machine, Keys.FOLDER + " " + folder);
        BoardPlan board = board(machine, folder);
        notices.addAll(BoardReader.foreignDoorbells(tables, board.board()));
        Map<PciAddress, ConfigSection> addresses = new HashMap<>();
        IommuPlan iommuPlan = new IommuPlan(address(iommu, addresses), IommuReader.read(iommu), polling(iommu));
        List<DevicePlan> devices = devices(tables, addresses, iommuPlan, board.board());
        return new MachinePlan(name, folder, board, memory(machine), iommuPlan, devices);
    }

    /** The former format has no way to write a name that is not a word. */
    private static String name(ConfigSection machine) throws CommandFailure {
        String name = machine.text(Keys.NAME).orElse(NAMELESS);
        if (!NAME.matcher(name).matches()) {
            throw machine.failure(Keys.NAME, "expected a word without spaces, found '" + name + "'");
        }
        return name;
    }

    private BoardPlan board(ConfigSection machine, Path folder) throws CommandFailure {
        BoardPlan board = BoardReader.read(machine, looksAtFiles);
        if (board.tree().isPresent()) {
            Path tree = real(board.tree().get());
            if (tree.equals(real(folder.resolve(board.board().topologyFile())))) {
                throw machine.failure(Keys.TREE, "expected a file that stays, found the one that the server writes and "
                        + "deletes: " + tree);
            }
            trees.putIfAbsent(tree, machine);
        }
        return board;
    }

    private MemoryPlan memory(ConfigSection machine) throws CommandFailure {
        int mebibytes = (int) machine.number(Keys.MEMORY, 512);
        return new MemoryPlan(mebibytes, memoryFile(machine), machine.flag(Keys.SEALED_MEMORY, false));
    }

    private List<DevicePlan> devices(MachineTables tables, Map<PciAddress, ConfigSection> addresses,
            IommuPlan iommuPlan, Board board) throws CommandFailure {
        ConfigSection iommu = tables.iommu();
        ReservedRegions reserved = IommuReader.reserved(iommu, board.doorbells());
        List<DevicePlan> devices = new ArrayList<>();
        NavigableSet<PciAddress> ports = new TreeSet<>();
        for (ConfigSection part : tables.devices()) {
            DevicePlan device = device(part, addresses, reserved);
            if (part.flag(Keys.HOT_PLUG, false)) {
                requireHotPlug(part, board);
                ports.add(device.address());
            }
            if (device.translated()) {
                IommuReader.check(iommuPlan.builder(), device.reserved(), part, iommu);
            }
            devices.add(device);
        }
        devices.replaceAll(device -> ports.contains(device.address())
                ? device.pluggedAt(device.address(), ports.headSet(device.address(), true).size()) : device);
        if (devices.stream().noneMatch(DevicePlan::translated)) {
            throw iommu.failure("expected a device behind the IOMMU, found none");
        }
        return devices;
    }

    private static void requireHotPlug(ConfigSection section, Board board) throws CommandFailure {
        if (board != Board.Q35) {
            throw section.failure(Keys.HOT_PLUG, "expected on the board q35 only, found on virt; leave it"
                    + " out, and the device is there from the start");
        }
    }

    private static Optional<Idling> polling(ConfigSection section) throws CommandFailure {
        boolean polled = section.flag(Keys.POLL, false);
        if (section.has(Keys.IDLE) && !polled) {
            throw section.failure(Keys.IDLE, "expected with " + Keys.POLL + " = " + section.yes()
                    + " only: without it no thread idles");
        }
        return polled ? Optional.of(section.has(Keys.IDLE) ? section.parsed(Keys.IDLE, Idling::of) : Idling.BACKOFF)
                : Optional.empty();
    }

    private Optional<Path> memoryFile(ConfigSection machine) throws CommandFailure {
        if (!machine.has(Keys.MEMORY_FILE)) {
            return Optional.empty();
        }
        Path file = machine.path(Keys.MEMORY_FILE);
        if (looksAtFiles) {
            lookAtMemory(machine, file);
        }
        unique(memoryFiles, real(file), machine, Keys.MEMORY_FILE + " " + file);
        return Optional.of(file);
    }

    /** QEMU makes the file if it is not there, but no folder for it; in a folder it makes a file without a name. */
    private static void lookAtMemory(ConfigSection machine, Path file) throws CommandFailure {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw machine.failure(Keys.MEMORY_FILE, "expected a file, or none yet, found something else: " + file);
        }
        Path folder = file.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw machine.failure(Keys.MEMORY_FILE, "expected a file in a folder that is there, found no folder "
                    + folder);
        }
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

    private DevicePlan device(ConfigSection section, Map<PciAddress, ConfigSection> addresses,
            ReservedRegions otherwise) throws CommandFailure {
        PciAddress address = address(section, addresses);
        String socket = String.format(Locale.ROOT, "%s-%02x.%d", section.table().word(), address.device(),
                address.function());
        Optional<Idling> polling = polling(section);
        return new DevicePlan(socket, address, section.flag(Keys.TRANSLATED, true),
                IommuReader.reserved(section, otherwise),
                maker(section, polling.isPresent()), polling, Optional.empty());
    }

    private DevicePlan.DeviceMaker maker(ConfigSection section, boolean polled) throws CommandFailure {
        return switch (section.table()) {
            case DISK -> disk(section, polled)::build;
            case CONSOLE -> console(section);
            default -> rng(polled);
        };
    }

    private DevicePlan.DeviceMaker console(ConfigSection section) throws CommandFailure {
        Path socket = section.path(Keys.SOCKET);
        int columns = (int) section.number(Keys.COLUMNS, 80);
        int rows = (int) section.number(Keys.ROWS, 24);
        unique(consoles, real(socket), section, "console's socket " + socket);
        return () -> ConsoleSocket.serve(socket, columns, rows);
    }

    private static DevicePlan.DeviceMaker rng(boolean polled) {
        return polled ? VirtioEntropy::polled : VirtioEntropy::new;
    }

    private VirtioBlockBuilder disk(ConfigSection section, boolean polled) throws CommandFailure {
        VirtioBlockBuilder builder = disk(section);
        return polled ? builder.polled() : builder;
    }

    private VirtioBlockBuilder disk(ConfigSection section) throws CommandFailure {
        Path file = section.path(Keys.FILE);
        boolean readOnly = section.flag(Keys.READ_ONLY, false);
        if (looksAtFiles) {
            lookAtDisk(section, file, readOnly);
        }
        if (!readOnly) {
            unique(diskFiles, file, section, "disk " + file);
        }
        disks.putIfAbsent(real(file), section);
        VirtioBlockBuilder builder = VirtioBlock.builder(file).queues((int) section.number(Keys.QUEUES, 1));
        if (section.has(Keys.QUEUE_SIZE)) {
            int entries = IommuReader.entries(section, Keys.QUEUE_SIZE, 0);
            section.apply(Keys.QUEUE_SIZE, () -> builder.queueSize(entries));
        }
        if (section.has(Keys.BLOCK_SIZE)) {
            int size = (int) section.number(Keys.BLOCK_SIZE, 0);
            section.apply(Keys.BLOCK_SIZE, () -> builder.blockSize(size));
        }
        if (section.has(Keys.ID)) {
            section.parsed(Keys.ID, builder::id);
        }
        if (section.has(Keys.LOCK)) {
            section.parsed(Keys.LOCK, text -> builder.lock(lock(text)));
        }
        return readOnly ? builder.readOnly() : builder;
    }

    private static void lookAtDisk(ConfigSection section, Path file, boolean readOnly) throws CommandFailure {
        if (!Files.isRegularFile(file) && !isBlockDevice(file)) {
            throw section.failure(Keys.FILE, "expected a file or block device to be the disk, found "
                    + (Files.exists(file) ? "something else: " : "none: ") + file);
        }
        if (!(readOnly ? Files.isReadable(file) : Files.isWritable(file) && Files.isReadable(file))) {
            throw section.failure(Keys.FILE, "expected permission to " + (readOnly ? "read " : "read and write ")
                    + file + ", found none");
        }
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
        PciAddress address = section.parsed(Keys.ADDRESS, PciAddress::of);
        if (address.segment() != 0 || address.bus() != 0 || address.function() != 0) {
            throw section.failure(Keys.ADDRESS, "expected 00:DEVICE.0, a device of its own on the root bus, found '"
                    + address + "'");
        }
        ConfigSection before = taken.putIfAbsent(address, section);
        if (before != null) {
            throw section.failure(Keys.ADDRESS, "expected one function at " + address + ", found " + before.header()
                    + " of line " + before.line() + " there too");
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
