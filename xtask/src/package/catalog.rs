//! The catalog (.cat): a certificate trust list over the package's files. osslsigncode signs it.
//!
//! Windows reads it to know that a file belongs to the package. The format is PKCS #7 around Microsoft's certificate
//! trust list; the object identifiers are those of wintrust.h, mssip.h and mscat.h.

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use der::asn1::{Any, BitString, BmpString, Null, ObjectIdentifier, OctetString, SetOfVec, UtcTime};
use der::{Decode, Encode, Sequence, Tag, TagNumber};

use super::digest::{Kind, digest};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
/// szOID_CTL.
const TRUST_LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.10.1");
/// szOID_CATALOG_LIST.
const CATALOG_LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.12.1.1");
/// szOID_CATALOG_LIST_MEMBER2: members are named by their SHA-256.
const MEMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.12.1.3");
/// CAT_NAMEVALUE_OBJID.
const NAME_VALUE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.12.2.1");
/// CAT_MEMBERINFO2_OBJID.
const MEMBER_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.12.2.3");
/// SPC_INDIRECT_DATA_OBJID.
const INDIRECT_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.2.1.4");
/// SPC_PE_IMAGE_DATA_OBJID.
const PE_IMAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.2.1.15");
/// SPC_CAB_DATA_OBJID, which stands for any flat file.
const FLAT_FILE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.2.1.25");

/// CRYPTCAT_ATTR_AUTHENTICATED, _NAMEASCII and _DATAASCII.
const TEXT_ATTRIBUTE: u32 = 0x1001_0001;

/// The operating system of the files: 10.0 and later, x64.
const MEMBER_SYSTEM: &str = "2:10.0";
const CATALOG_SYSTEM: &str = "_v100_X64";

#[derive(Sequence)]
struct Attribute {
    kind: ObjectIdentifier,
    values: SetOfVec<Any>,
}

#[derive(Sequence)]
struct Algorithm {
    algorithm: ObjectIdentifier,
    parameters: Null,
}

#[derive(Sequence)]
struct Extension {
    kind: ObjectIdentifier,
    value: OctetString,
}

#[derive(Sequence)]
struct NameValue {
    name: BmpString,
    flags: u32,
    value: OctetString,
}

#[derive(Sequence)]
struct Typed {
    kind: ObjectIdentifier,
    value: Any,
}

#[derive(Sequence)]
struct DigestInfo {
    algorithm: Algorithm,
    digest: OctetString,
}

#[derive(Sequence)]
struct IndirectData {
    data: Typed,
    digest: DigestInfo,
}

#[derive(Sequence)]
struct PeImageData {
    flags: BitString,
    file: Any,
}

#[derive(Sequence)]
struct Member {
    name: OctetString,
    attributes: SetOfVec<Attribute>,
}

impl der::ValueOrd for Attribute {
    fn value_cmp(&self, other: &Self) -> der::Result<std::cmp::Ordering> {
        Ok(self.to_der()?.cmp(&other.to_der()?))
    }
}

#[derive(Sequence)]
struct TrustList {
    usage: Vec<ObjectIdentifier>,
    identifier: OctetString,
    made: UtcTime,
    subject: Algorithm,
    members: Vec<Member>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

/// Writes an unsigned catalog over `files`, for the driver of `hardware_id`.
pub(crate) fn write(files: &[&Path], hardware_id: &str, now: SystemTime) -> Result<Vec<u8>> {
    let mut members = files.iter().map(|file| member(file)).collect::<Result<Vec<_>>>()?;
    members.sort_by(|one, other| one.name.as_bytes().cmp(other.name.as_bytes()));
    let names: Vec<&[u8]> = members.iter().map(|member| member.name.as_bytes()).collect();
    let list = TrustList {
        usage: vec![CATALOG_LIST],
        // A number of its own: the same files have the same one.
        identifier: OctetString::new(&super::digest::sha256(&names.concat())[..16])?,
        made: UtcTime::from_system_time(now)?,
        subject: Algorithm { algorithm: MEMBER, parameters: Null },
        members,
        extensions: vec![
            extension("OS", CATALOG_SYSTEM)?,
            extension("HWID1", &hardware_id.to_ascii_lowercase())?,
        ],
    };
    let content = Typed { kind: TRUST_LIST, value: explicit(0, &list.to_der()?)? };
    let empty_set = Any::new(Tag::Set, Vec::new())?;
    let signed = Any::new(
        Tag::Sequence,
        [1u32.to_der()?, empty_set.to_der()?, content.to_der()?, empty_set.to_der()?].concat(),
    )?;
    Ok(Typed { kind: SIGNED_DATA, value: explicit(0, &signed.to_der()?)? }.to_der()?)
}

/// The digests of the members of a signed catalog.
pub(crate) fn members(catalog: &[u8]) -> Result<Vec<Vec<u8>>> {
    let outer = ContentInfo::from_der(catalog).context("the catalog is no PKCS #7")?;
    ensure!(outer.content_type == SIGNED_DATA, "the catalog is not signed data");
    let signed: SignedData = outer.content.decode_as().context("the catalog's signed data")?;
    ensure!(
        signed.encap_content_info.econtent_type == TRUST_LIST,
        "the catalog holds no certificate trust list"
    );
    ensure!(!signed.signer_infos.0.is_empty(), "nobody has signed the catalog");
    let content = signed.encap_content_info.econtent.context("the catalog is empty")?;
    let list: TrustList = content.decode_as().context("the catalog's trust list")?;
    Ok(list.members.iter().map(|member| member.name.as_bytes().to_vec()).collect())
}

fn member(file: &Path) -> Result<Member> {
    let (kind, digest) = digest(file)?;
    let name = file.file_name().context("a member has a name")?.to_string_lossy().to_ascii_lowercase();
    let data = match kind {
        Kind::Image => {
            // No flag is set, and the file is named by an empty string.
            let flags = BitString::new(5, vec![0xA0])?;
            let file = explicit(0, &explicit(2, &empty_string()?.to_der()?)?.to_der()?)?;
            Typed { kind: PE_IMAGE, value: Any::encode_from(&PeImageData { flags, file })? }
        }
        Kind::Flat => Typed { kind: FLAT_FILE, value: explicit(2, &empty_string()?.to_der()?)? },
    };
    let algorithm = Algorithm { algorithm: SHA256, parameters: Null };
    let digest_info = DigestInfo { algorithm, digest: OctetString::new(digest.as_slice())? };
    let mut attributes = SetOfVec::new();
    for attribute in [
        attribute(NAME_VALUE, Any::encode_from(&name_value("File", &name)?)?)?,
        attribute(NAME_VALUE, Any::encode_from(&name_value("OSAttr", MEMBER_SYSTEM)?)?)?,
        attribute(INDIRECT_DATA, Any::encode_from(&IndirectData { data, digest: digest_info })?)?,
        attribute(MEMBER_INFO, Any::new(context(2, false), Vec::new())?)?,
    ] {
        attributes.insert(attribute)?;
    }
    Ok(Member { name: OctetString::new(digest)?, attributes })
}

fn attribute(kind: ObjectIdentifier, value: Any) -> Result<Attribute> {
    Ok(Attribute { kind, values: SetOfVec::try_from(vec![value])? })
}

fn extension(name: &str, value: &str) -> Result<Extension> {
    Ok(Extension { kind: NAME_VALUE, value: OctetString::new(name_value(name, value)?.to_der()?)? })
}

/// The value is UTF-16 with its zero.
fn name_value(name: &str, value: &str) -> Result<NameValue> {
    let wide: Vec<u8> = value.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    Ok(NameValue { name: BmpString::from_utf8(name)?, flags: TEXT_ATTRIBUTE, value: OctetString::new(wide)? })
}

fn context(number: u8, constructed: bool) -> Tag {
    Tag::ContextSpecific { number: TagNumber::new(number), constructed }
}

/// `[number] EXPLICIT`.
fn explicit(number: u8, inner: &[u8]) -> Result<Any> {
    Ok(Any::new(context(number, true), inner)?)
}

/// SpcString: an empty Unicode string.
fn empty_string() -> Result<Any> {
    Ok(Any::new(context(0, false), Vec::new())?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::scratch::Scratch;

    /// A catalog over two flat files and what it is signed over.
    fn made(folder: &Scratch) -> (Vec<u8>, TrustList) {
        let files = ["a.inf", "B.txt"].map(|name| folder.path().join(name));
        for file in &files {
            std::fs::write(file, file.display().to_string()).unwrap();
        }
        let files: Vec<&Path> = files.iter().map(std::path::PathBuf::as_path).collect();
        let catalog =
            write(&files, "Root\\GPUP_KMD", SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30)).unwrap();
        let signed: SignedData = ContentInfo::from_der(&catalog).unwrap().content.decode_as().unwrap();
        (catalog, signed.encap_content_info.econtent.unwrap().decode_as().unwrap())
    }

    #[test]
    fn each_file_is_a_member_by_its_digest() {
        let folder = Scratch::new("catalog");
        let (_, list) = made(&folder);
        let mut expected = ["a.inf", "B.txt"].map(|name| digest(&folder.path().join(name)).unwrap().1);
        expected.sort();
        let named: Vec<&[u8]> = list.members.iter().map(|member| member.name.as_bytes()).collect();
        assert_eq!(named, expected);
        assert!(list.members.iter().all(|member| member.attributes.len() == 4));
        assert_eq!(list.extensions.len(), 2);
    }

    #[test]
    fn a_catalog_that_nobody_signed_names_nothing() {
        let (catalog, _) = made(&Scratch::new("catalog-unsigned"));
        assert!(members(&catalog).unwrap_err().to_string().contains("nobody has signed"));
        assert!(members(&catalog[1..]).is_err());
    }
}
