// What rooms need of archives: their messages are read as a user's are, and a retracted one leaves the same behind.
export { ARCHIVE_FEATURES, type ArchiveReading, archiveReading, type OpenArchive } from "./reading.js";
export { retractedBy, tombstoneOf } from "./tombstones.js";
