//! What a business must tell consumers: what it collects, where it comes from, what for, who gets it, how long it is kept, and
//! what rights people have and how they ask (Cal. Civ. Code 1798.100(a), 1798.130(a)(5); 11 CCR 7011(e), 7012).
//!
//! Kept as data, so that it is said in every language and cannot contradict itself. Rights and ways to ask are not part of
//! it: they follow from what a service code takes and from the laws that its business answers under.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::jurisdiction::Jurisdiction;
use crate::language::Words;
use crate::request::Kind;
use crate::rules::Rules;

/// The longest time for which something is kept after the end of what it was collected for, in months.
pub const LONGEST_KEPT: u16 = 600;

/// What the law calls a category of personal information: Cal. Civ. Code 1798.140(v)(1)(A) to (L).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// (A).
    Identifiers,
    /// (B), by reference to Cal. Civ. Code 1798.80(e).
    CustomerRecords,
    /// (C).
    ProtectedCharacteristics,
    /// (D).
    Commercial,
    /// (E).
    Biometric,
    /// (F).
    NetworkActivity,
    /// (G).
    Geolocation,
    /// (H).
    Sensory,
    /// (I).
    Professional,
    /// (J).
    Education,
    /// (K).
    Inferences,
    /// (L).
    Sensitive,
}

impl Category {
    /// Every category, in the order of the law.
    pub const ALL: [Self; 12] = [
        Self::Identifiers,
        Self::CustomerRecords,
        Self::ProtectedCharacteristics,
        Self::Commercial,
        Self::Biometric,
        Self::NetworkActivity,
        Self::Geolocation,
        Self::Sensory,
        Self::Professional,
        Self::Education,
        Self::Inferences,
        Self::Sensitive,
    ];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Identifiers => "identifiers",
            Self::CustomerRecords => "customer-records",
            Self::ProtectedCharacteristics => "protected-characteristics",
            Self::Commercial => "commercial",
            Self::Biometric => "biometric",
            Self::NetworkActivity => "network-activity",
            Self::Geolocation => "geolocation",
            Self::Sensory => "sensory",
            Self::Professional => "professional",
            Self::Education => "education",
            Self::Inferences => "inferences",
            Self::Sensitive => "sensitive",
        }
    }

    /// Where the law names it.
    #[must_use]
    pub const fn citation(self) -> &'static str {
        match self {
            Self::Identifiers => "Cal. Civ. Code 1798.140(v)(1)(A)",
            Self::CustomerRecords => "Cal. Civ. Code 1798.140(v)(1)(B), 1798.80(e)",
            Self::ProtectedCharacteristics => "Cal. Civ. Code 1798.140(v)(1)(C)",
            Self::Commercial => "Cal. Civ. Code 1798.140(v)(1)(D)",
            Self::Biometric => "Cal. Civ. Code 1798.140(v)(1)(E)",
            Self::NetworkActivity => "Cal. Civ. Code 1798.140(v)(1)(F)",
            Self::Geolocation => "Cal. Civ. Code 1798.140(v)(1)(G)",
            Self::Sensory => "Cal. Civ. Code 1798.140(v)(1)(H)",
            Self::Professional => "Cal. Civ. Code 1798.140(v)(1)(I)",
            Self::Education => "Cal. Civ. Code 1798.140(v)(1)(J)",
            Self::Inferences => "Cal. Civ. Code 1798.140(v)(1)(K)",
            Self::Sensitive => "Cal. Civ. Code 1798.140(v)(1)(L), (ae)",
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn words(self) -> Words {
        match self {
            Self::Identifiers => Words { en: "Identifiers", es: "Datos de identificación" },
            Self::CustomerRecords => Words { en: "Customer records", es: "Registros de clientes" },
            Self::ProtectedCharacteristics => {
                Words { en: "Protected characteristics", es: "Características protegidas por la ley" }
            }
            Self::Commercial => Words { en: "Commercial information", es: "Datos comerciales" },
            Self::Biometric => Words { en: "Biometric information", es: "Datos biométricos" },
            Self::NetworkActivity => {
                Words { en: "Internet and network activity", es: "Actividad en Internet y en otras redes" }
            }
            Self::Geolocation => Words { en: "Geolocation data", es: "Datos de ubicación" },
            Self::Sensory => Words { en: "Sound, images and the like", es: "Sonidos, imágenes y similares" },
            Self::Professional => Words { en: "Work-related information", es: "Datos profesionales y laborales" },
            Self::Education => Words { en: "Education information", es: "Datos académicos" },
            Self::Inferences => Words { en: "Inferences", es: "Conclusiones" },
            Self::Sensitive => Words { en: "Sensitive personal information", es: "Información personal sensible" },
        }
    }

    /// Examples, in the law's order.
    #[must_use]
    pub const fn examples(self) -> Words {
        match self {
            Self::Identifiers => Words {
                en: "Name, postal and e-mail address, online identifier, IP address, account name.",
                es: "Nombre, dirección postal y de correo electrónico, identificador en línea, dirección IP, nombre de cuenta.",
            },
            Self::CustomerRecords => Words {
                en: "Telephone number, signature, insurance policy, bank account or card number in customer records.",
                es: "Teléfono, firma, póliza de seguro, número de cuenta o de tarjeta en los registros de clientes.",
            },
            Self::ProtectedCharacteristics => Words {
                en: "Age, sex, national origin, marital status.",
                es: "Edad, sexo, origen nacional, estado civil.",
            },
            Self::Commercial => Words {
                en: "Products or services bought or considered, records of property.",
                es: "Productos o servicios comprados o considerados, registros de bienes.",
            },
            Self::Biometric => {
                Words { en: "Fingerprints, face or voice prints.", es: "Huellas dactilares, de rostro o de voz." }
            }
            Self::NetworkActivity => Words {
                en: "Browsing and search history, use of a site, an app or an advertisement.",
                es: "Historial de navegación y de búsqueda, uso de un sitio, una aplicación o un anuncio.",
            },
            Self::Geolocation => {
                Words { en: "Where a person or a device is.", es: "Dónde está una persona o un aparato." }
            }
            Self::Sensory => {
                Words { en: "Recordings of calls, pictures, video.", es: "Grabaciones de llamadas, imágenes, video." }
            }
            Self::Professional => {
                Words { en: "Employer, position, work history.", es: "Empleador, cargo, historial laboral." }
            }
            Self::Education => {
                Words { en: "School records that are not public.", es: "Registros escolares que no son públicos." }
            }
            Self::Inferences => Words {
                en: "Profiles of preferences, behaviour or abilities, drawn from the rest.",
                es: "Perfiles de preferencias, conducta o capacidades, sacados de lo demás.",
            },
            Self::Sensitive => Words {
                en: "Social Security or driver’s license number, account log-in, precise location, health, beliefs, contents of mail.",
                es: "Número de Seguro Social o de licencia, acceso a cuentas, ubicación precisa, salud, creencias, contenido de correos.",
            },
        }
    }
}

/// From whom something is collected: 11 CCR 7001, "categories of sources".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The person.
    Consumer,
    /// Their browser, device or app.
    Device,
    /// Those whom the business is one with.
    Affiliate,
    /// Those who work for the business.
    ServiceProvider,
    /// Advertising networks.
    AdvertisingNetwork,
    /// Data analytics providers.
    Analytics,
    /// Social networks.
    SocialNetwork,
    /// Data brokers.
    DataBroker,
    /// Public records and what anybody can see.
    Public,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 9] = [
        Self::Consumer,
        Self::Device,
        Self::Affiliate,
        Self::ServiceProvider,
        Self::AdvertisingNetwork,
        Self::Analytics,
        Self::SocialNetwork,
        Self::DataBroker,
        Self::Public,
    ];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Device => "device",
            Self::Affiliate => "affiliate",
            Self::ServiceProvider => "service-provider",
            Self::AdvertisingNetwork => "advertising-network",
            Self::Analytics => "analytics",
            Self::SocialNetwork => "social-network",
            Self::DataBroker => "data-broker",
            Self::Public => "public",
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn words(self) -> Words {
        match self {
            Self::Consumer => Words { en: "You", es: "Usted" },
            Self::Device => Words { en: "Your browser or device", es: "Su navegador o aparato" },
            Self::Affiliate => Words { en: "Our affiliates", es: "Nuestras empresas vinculadas" },
            Self::ServiceProvider => Words { en: "Our service providers", es: "Nuestros proveedores de servicios" },
            Self::AdvertisingNetwork => Words { en: "Advertising networks", es: "Redes de publicidad" },
            Self::Analytics => Words { en: "Data analytics providers", es: "Proveedores de análisis de datos" },
            Self::SocialNetwork => Words { en: "Social networks", es: "Redes sociales" },
            Self::DataBroker => Words { en: "Data brokers", es: "Intermediarios de datos" },
            Self::Public => Words { en: "Public records", es: "Registros públicos" },
        }
    }
}

/// What for: the business purposes of Cal. Civ. Code 1798.140(e), and what is done beyond them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// (e)(5): accounts, orders, payments, customer service.
    Services,
    /// (e)(2).
    Security,
    /// (e)(3).
    Repair,
    /// (e)(4).
    ShortTerm,
    /// (e)(1).
    Counting,
    /// (e)(6).
    Advertising,
    /// (e)(7).
    Research,
    /// (e)(8).
    Quality,
    /// What a law or a court asks: 1798.145(a).
    Law,
    /// Advertising by what people do elsewhere: 1798.140(k). No business purpose.
    CrossContext,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 10] = [
        Self::Services,
        Self::Security,
        Self::Repair,
        Self::ShortTerm,
        Self::Counting,
        Self::Advertising,
        Self::Research,
        Self::Quality,
        Self::Law,
        Self::CrossContext,
    ];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Security => "security",
            Self::Repair => "repair",
            Self::ShortTerm => "short-term",
            Self::Counting => "counting",
            Self::Advertising => "advertising",
            Self::Research => "research",
            Self::Quality => "quality",
            Self::Law => "law",
            Self::CrossContext => "cross-context",
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn words(self) -> Words {
        match self {
            Self::Services => Words {
                en: "To provide our goods and services: accounts, orders, payments, customer service",
                es: "Ofrecer nuestros bienes y servicios: cuentas, pedidos, pagos, atención al cliente",
            },
            Self::Security => {
                Words { en: "To keep them secure and prevent fraud", es: "Mantener la seguridad y evitar fraudes" }
            }
            Self::Repair => Words { en: "To find and repair errors", es: "Encontrar y corregir errores" },
            Self::ShortTerm => Words {
                en: "For short-term use, such as showing what fits the page you are on",
                es: "Para un uso breve, como mostrar lo que corresponde a la página que ve",
            },
            Self::Counting => {
                Words { en: "To count visits and advertisements seen", es: "Contar visitas y anuncios vistos" }
            }
            Self::Advertising => {
                Words { en: "For our own advertising and marketing", es: "Para nuestra propia publicidad y promoción" }
            }
            Self::Research => Words { en: "For research and development", es: "Para investigación y desarrollo" },
            Self::Quality => Words {
                en: "To check and improve quality and safety",
                es: "Comprobar y mejorar la calidad y la seguridad",
            },
            Self::Law => Words { en: "To do what the law asks", es: "Cumplir lo que pide la ley" },
            Self::CrossContext => Words {
                en: "For advertising by what people do on other sites and apps",
                es: "Para publicidad según lo que se hace en otros sitios y aplicaciones",
            },
        }
    }
}

/// To whom something goes: 11 CCR 7001, "categories of third parties", and those who work for the business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipient {
    /// Those who work for the business under a contract; never sold or shared to.
    ServiceProvider,
    /// Those whom the business is one with.
    Affiliate,
    /// Advertising networks.
    AdvertisingNetwork,
    /// Data analytics providers.
    Analytics,
    /// Social networks.
    SocialNetwork,
    /// Operating systems and platforms.
    Platform,
    /// Internet service providers.
    InternetProvider,
    /// Data brokers.
    DataBroker,
    /// Government entities.
    Government,
}

impl Recipient {
    /// Every recipient.
    pub const ALL: [Self; 9] = [
        Self::ServiceProvider,
        Self::Affiliate,
        Self::AdvertisingNetwork,
        Self::Analytics,
        Self::SocialNetwork,
        Self::Platform,
        Self::InternetProvider,
        Self::DataBroker,
        Self::Government,
    ];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ServiceProvider => "service-provider",
            Self::Affiliate => "affiliate",
            Self::AdvertisingNetwork => "advertising-network",
            Self::Analytics => "analytics",
            Self::SocialNetwork => "social-network",
            Self::Platform => "platform",
            Self::InternetProvider => "internet-provider",
            Self::DataBroker => "data-broker",
            Self::Government => "government",
        }
    }

    /// Whether it is somebody other than the business itself: only to those can anything be sold or shared
    /// (Cal. Civ. Code 1798.140(ai): a service provider is no third party).
    #[must_use]
    pub const fn is_third_party(self) -> bool {
        !matches!(self, Self::ServiceProvider)
    }

    /// What it is called.
    #[must_use]
    pub const fn words(self) -> Words {
        match self {
            Self::ServiceProvider => Words { en: "Service providers", es: "Proveedores de servicios" },
            Self::Affiliate => Words { en: "Affiliates", es: "Empresas vinculadas" },
            Self::AdvertisingNetwork => Words { en: "Advertising networks", es: "Redes de publicidad" },
            Self::Analytics => Words { en: "Data analytics providers", es: "Proveedores de análisis de datos" },
            Self::SocialNetwork => Words { en: "Social networks", es: "Redes sociales" },
            Self::Platform => Words { en: "Operating systems and platforms", es: "Sistemas operativos y plataformas" },
            Self::InternetProvider => Words { en: "Internet service providers", es: "Proveedores de Internet" },
            Self::DataBroker => Words { en: "Data brokers", es: "Intermediarios de datos" },
            Self::Government => Words { en: "Government entities", es: "Organismos públicos" },
        }
    }
}

/// What is done with one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Collected {
    /// Which.
    pub category: Category,
    /// From whom.
    pub sources: BTreeSet<Source>,
    /// What for.
    pub purposes: BTreeSet<Purpose>,
    /// Whether it is sold: passed on for money or anything else of value, Cal. Civ. Code 1798.140(ad).
    pub sold: bool,
    /// Whether it is shared: passed on for advertising by what people do elsewhere, Cal. Civ. Code 1798.140(ah).
    pub shared: bool,
    /// To whom it is sold or shared.
    pub third_parties: BTreeSet<Recipient>,
    /// To whom it is disclosed for a business purpose.
    pub disclosed_to: BTreeSet<Recipient>,
    /// Whether it is kept for as long as somebody is a customer, and only then for the months.
    pub while_customer: bool,
    /// For how many months it is kept.
    pub kept_months: u16,
}

/// What a business tells of itself under one service code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Notice {
    /// The day from which it is true: 11 CCR 7011(e).
    pub effective: Date,
    /// The whole privacy policy. `https`.
    pub policy: Option<String>,
    /// What was collected in the last 12 months, in the order of the law.
    pub collected: Vec<Collected>,
    /// Whether it knows that it sells or shares what belongs to people under 16.
    pub under_16: bool,
    /// Whether sensitive information is used to infer characteristics, so that there is something to limit:
    /// Cal. Civ. Code 1798.121(d).
    pub infers: bool,
}

/// What is wrong with a field of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// No source.
    #[error("choose where it comes from")]
    NoSource,
    /// No purpose.
    #[error("choose what for")]
    NoPurpose,
    /// Sold or shared to nobody.
    #[error("choose to whom it is sold or shared")]
    ToNobody,
    /// To somebody, and neither sold nor shared.
    #[error("say whether it is sold or shared")]
    NeitherSoldNorShared,
    /// A service provider is no third party.
    #[error("nothing is sold or shared to a service provider")]
    NoThirdParty,
    /// Shared without its purpose.
    #[error("what is shared is used for advertising by what people do elsewhere")]
    SharedForWhat,
    /// No number of months.
    #[error("enter 0 to 600 months")]
    Months,
    /// Kept for no time at all.
    #[error("say how long it is kept")]
    NotKept,
    /// No address.
    #[error("enter an https address")]
    Policy,
    /// No date.
    #[error("enter a date")]
    Date,
    /// Sold by nobody, and yet for children.
    #[error("nothing is sold or shared")]
    NothingSold,
}

impl NoticeError {
    /// What to change, for the person who filled in the field.
    #[must_use]
    pub const fn words(self) -> Words {
        match self {
            Self::NoSource => Words { en: "Choose at least one source.", es: "Elija al menos una fuente." },
            Self::NoPurpose => Words { en: "Choose at least one purpose.", es: "Elija al menos un fin." },
            Self::ToNobody => Words {
                en: "Choose to whom it is sold or shared.",
                es: "Elija a quién se vende o con quién se comparte.",
            },
            Self::NeitherSoldNorShared => Words {
                en: "Say whether it is sold, shared or both, or choose nobody here.",
                es: "Diga si se vende, se comparte o ambas cosas, o no elija a nadie aquí.",
            },
            Self::NoThirdParty => Words {
                en: "A service provider is no third party: choose it where information is disclosed.",
                es: "Un proveedor de servicios no es un tercero: elíjalo donde se revelan los datos.",
            },
            Self::SharedForWhat => Words {
                en: "What is shared is used for advertising by what people do elsewhere: choose that purpose, too.",
                es: "Lo que se comparte sirve para publicidad según lo que se hace en otros sitios: elija también ese fin.",
            },
            Self::Months => Words { en: "Enter a number from 0 to 600.", es: "Escriba un número de 0 a 600." },
            Self::NotKept => Words {
                en: "Enter at least 1 month, or choose that it is kept while somebody is a customer.",
                es: "Escriba al menos 1 mes, o elija que se guarda mientras alguien es cliente.",
            },
            Self::Policy => Words {
                en: "Enter an address that begins with https://.",
                es: "Escriba una dirección que empiece con https://.",
            },
            Self::Date => Words { en: "Enter a date, such as 2026-11-22.", es: "Escriba una fecha, como 2026-11-22." },
            Self::NothingSold => Words {
                en: "Nothing above is sold or shared. Switch this off, or say what is.",
                es: "Nada de lo anterior se vende ni se comparte. Desactive esto o diga qué sí.",
            },
        }
    }
}

impl Collected {
    /// What is wrong, with the field of this category that it is about.
    fn wrong(&self) -> impl Iterator<Item = (&'static str, NoticeError)> {
        let passed_on = self.sold || self.shared;
        [
            (self.sources.is_empty(), "sources", NoticeError::NoSource),
            (self.purposes.is_empty(), "purposes", NoticeError::NoPurpose),
            (
                self.shared && !self.purposes.is_empty() && !self.purposes.contains(&Purpose::CrossContext),
                "purposes",
                NoticeError::SharedForWhat,
            ),
            (passed_on && self.third_parties.is_empty(), "third-parties", NoticeError::ToNobody),
            (!passed_on && !self.third_parties.is_empty(), "third-parties", NoticeError::NeitherSoldNorShared),
            (!self.third_parties.iter().all(|it| it.is_third_party()), "third-parties", NoticeError::NoThirdParty),
            (self.kept_months > LONGEST_KEPT, "kept-months", NoticeError::Months),
            (self.kept_months == 0 && !self.while_customer, "kept-months", NoticeError::NotKept),
        ]
        .into_iter()
        .filter_map(|(wrong, field, error)| wrong.then_some((field, error)))
    }
}

impl Notice {
    /// Everything that is wrong: the field (`identifiers.sources`), and why.
    pub fn validate(&self) -> Result<(), Vec<(String, NoticeError)>> {
        let mut errors = vec![];
        if self.policy.as_deref().is_some_and(|address| !crate::service_code::is_https(address)) {
            errors.push(("policy".to_owned(), NoticeError::Policy));
        }
        for collected in &self.collected {
            let field = |name: &str| format!("{}.{name}", collected.category.code());
            errors.extend(collected.wrong().map(|(name, error)| (field(name), error)));
        }
        if self.under_16 && self.sold_or_shared().next().is_none() {
            errors.push(("under-16".to_owned(), NoticeError::NothingSold));
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// What is sold or shared: one of the two lists of Cal. Civ. Code 1798.130(a)(5)(C).
    pub fn sold_or_shared(&self) -> impl Iterator<Item = &Collected> {
        self.collected.iter().filter(|it| it.sold || it.shared)
    }

    /// What is disclosed for a business purpose: the other list.
    pub fn disclosed(&self) -> impl Iterator<Item = &Collected> {
        self.collected.iter().filter(|it| !it.disclosed_to.is_empty())
    }
}

/// Something that a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RightTo {
    /// Know what is collected, sold and disclosed.
    Know,
    /// Have the specific pieces.
    Access,
    /// Have it deleted.
    Delete,
    /// Have it corrected.
    Correct,
    /// Stop its sale and sharing.
    OptOut,
    /// Limit the use of what is sensitive.
    Limit,
    /// Have a refusal looked at again.
    Appeal,
    /// Have somebody else ask.
    Agent,
    /// Not be treated worse for it.
    NoRetaliation,
}

impl RightTo {
    fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::KnowCategories => Some(Self::Know),
            Kind::KnowSpecific => Some(Self::Access),
            Kind::Delete => Some(Self::Delete),
            Kind::Correct => Some(Self::Correct),
            Kind::OptOut => Some(Self::OptOut),
            Kind::Limit => Some(Self::Limit),
            Kind::Message => None,
        }
    }

    /// Where California gives it; nothing where it does not.
    #[must_use]
    pub const fn citation(self) -> Option<&'static str> {
        match self {
            Self::Know => Some("Cal. Civ. Code 1798.110, 1798.115"),
            Self::Access => Some("Cal. Civ. Code 1798.110(a)(5)"),
            Self::Delete => Some("Cal. Civ. Code 1798.105"),
            Self::Correct => Some("Cal. Civ. Code 1798.106"),
            Self::OptOut => Some("Cal. Civ. Code 1798.120"),
            Self::Limit => Some("Cal. Civ. Code 1798.121"),
            Self::Agent => Some("11 CCR 7063, 7026(j)"),
            Self::NoRetaliation => Some("Cal. Civ. Code 1798.125"),
            Self::Appeal => None,
        }
    }

    /// The right, as a sentence.
    #[must_use]
    pub const fn words(self) -> Words {
        match self {
            Self::Know => Words {
                en: "To know which categories of your personal information we collect, from where and what for, and to whom we sell, share or disclose them.",
                es: "Saber qué categorías de sus datos personales recopilamos, de dónde y para qué, y a quién las vendemos, con quién las compartimos o a quién las revelamos.",
            },
            Self::Access => Words {
                en: "To have the specific pieces of personal information that we hold about you.",
                es: "Recibir los datos personales concretos que tenemos de usted.",
            },
            Self::Delete => Words {
                en: "To have your personal information deleted, with the exceptions that the law makes.",
                es: "Que se eliminen sus datos personales, con las excepciones que fija la ley.",
            },
            Self::Correct => Words {
                en: "To have personal information corrected that is not accurate.",
                es: "Que se corrijan los datos personales que no son exactos.",
            },
            Self::OptOut => Words {
                en: "To opt out of the sale and sharing of your personal information.",
                es: "Oponerse a que se vendan y se compartan sus datos personales.",
            },
            Self::Limit => Words {
                en: "To limit the use and disclosure of your sensitive personal information.",
                es: "Limitar el uso y la revelación de su información personal sensible.",
            },
            Self::Appeal => Words {
                en: "To have a refusal looked at again, by an appeal to us.",
                es: "Que se revise una negativa, si nos presenta una apelación.",
            },
            Self::Agent => Words {
                en: "To have an authorized agent ask for you.",
                es: "Que un representante autorizado haga la solicitud por usted.",
            },
            Self::NoRetaliation => Words {
                en: "Not to be treated worse because you use these rights.",
                es: "No recibir un trato peor por ejercer estos derechos.",
            },
        }
    }
}

/// A right, and where the law gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// Which.
    pub right: RightTo,
    /// The laws that give it, of those that the business answers under; empty where it is the business's own offer.
    pub places: Vec<Jurisdiction>,
}

/// The rights that people have towards a business: what its service code takes, and what its laws add to that.
#[must_use]
pub fn rights(kinds: &BTreeSet<Kind>, jurisdictions: &[Jurisdiction], on: Date) -> Vec<Right> {
    let places: &[Jurisdiction] = if jurisdictions.is_empty() { &[Jurisdiction::UsCa] } else { jurisdictions };
    let rules = |place: &Jurisdiction| Rules::of(*place).ok();
    let giving = |kind: Kind| {
        places.iter().copied().filter(|it| rules(it).is_some_and(|rules| rules.right(kind, on).is_some())).collect()
    };
    let asked = Kind::ALL.into_iter().filter(|kind| kinds.contains(kind));
    let mut rights: Vec<Right> =
        asked.filter_map(|kind| Some(Right { right: RightTo::of(kind)?, places: giving(kind) })).collect();
    rights.sort_by_key(|it| it.right);
    let appeals = places.iter().copied().filter(|it| rules(it).is_some_and(|rules| rules.appeal.is_some()));
    let appeals: Vec<Jurisdiction> = appeals.collect();
    if !appeals.is_empty() {
        rights.push(Right { right: RightTo::Appeal, places: appeals });
    }
    if places.contains(&Jurisdiction::UsCa) {
        let california = |right| Right { right, places: vec![Jurisdiction::UsCa] };
        rights.extend([RightTo::Agent, RightTo::NoRetaliation].map(california));
    }
    rights
}

/// A way to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The web form.
    Form,
    /// The toll-free number.
    Telephone,
    /// The page of privacy choices.
    Choices,
    /// A browser's opt-out preference signal.
    Signal,
}

/// The ways to ask under a service code: 11 CCR 7020, 7026(a), 7027(b).
#[must_use]
pub fn methods(kinds: &BTreeSet<Kind>, has_hotline: bool) -> Vec<Method> {
    let (opt_out, limit) = (kinds.contains(&Kind::OptOut), kinds.contains(&Kind::Limit));
    [
        (true, Method::Form),
        (has_hotline, Method::Telephone),
        (opt_out || limit, Method::Choices),
        (opt_out, Method::Signal),
    ]
    .into_iter()
    .filter_map(|(there, method)| there.then_some(method))
    .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn collected(category: Category) -> Collected {
        Collected {
            category,
            sources: BTreeSet::from([Source::Consumer]),
            purposes: BTreeSet::from([Purpose::Services]),
            sold: false,
            shared: false,
            third_parties: BTreeSet::new(),
            disclosed_to: BTreeSet::from([Recipient::ServiceProvider]),
            while_customer: true,
            kept_months: 24,
        }
    }

    fn notice(collected: Vec<Collected>) -> Notice {
        Notice { effective: jiff::civil::date(2026, 11, 22), policy: None, collected, under_16: false, infers: false }
    }

    #[test]
    fn each_field_that_contradicts_another_is_named() {
        assert_eq!(notice(vec![collected(Category::Identifiers)]).validate(), Ok(()));
        let sold = Collected { sold: true, ..collected(Category::Commercial) };
        let shared = Collected {
            shared: true,
            third_parties: BTreeSet::from([Recipient::AdvertisingNetwork]),
            ..collected(Category::NetworkActivity)
        };
        let to_nobody = Collected {
            sources: BTreeSet::new(),
            purposes: BTreeSet::new(),
            third_parties: BTreeSet::from([Recipient::ServiceProvider]),
            while_customer: false,
            kept_months: 0,
            ..collected(Category::Sensitive)
        };
        let mut wrong = notice(vec![sold, shared, to_nobody]);
        wrong.policy = Some("http://shop.example".into());
        let errors = wrong.validate().unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|(field, _)| field.as_str()).collect();
        let expected = [
            "policy",
            "commercial.third-parties",
            "network-activity.purposes",
            "sensitive.sources",
            "sensitive.purposes",
            "sensitive.third-parties",
            "sensitive.third-parties",
            "sensitive.kept-months",
        ];
        assert_eq!(fields, expected);
        let mut children = notice(vec![collected(Category::Identifiers)]);
        children.under_16 = true;
        assert_eq!(children.validate(), Err(vec![("under-16".to_owned(), NoticeError::NothingSold)]));
    }

    #[test]
    fn a_notice_is_stored_in_kebab_case() {
        let stored = json!({
            "effective": "2026-11-22", "policy": null, "under-16": false, "infers": false,
            "collected": [{
                "category": "identifiers", "sources": ["consumer"], "purposes": ["services"], "sold": false,
                "shared": false, "third-parties": [], "disclosed-to": ["service-provider"], "while-customer": true,
                "kept-months": 24,
            }],
        });
        let notice = notice(vec![collected(Category::Identifiers)]);
        assert_eq!(serde_json::to_value(&notice).unwrap(), stored);
        assert_eq!(serde_json::from_value::<Notice>(stored).unwrap(), notice);
    }

    #[test]
    fn everything_has_a_stored_name_and_words_of_its_own_in_both_languages() {
        fn distinct<T: Copy + Serialize>(all: &[T], code: impl Fn(T) -> &'static str, words: impl Fn(T) -> Words) {
            for it in all {
                assert_eq!(serde_json::to_value(it).unwrap(), code(*it));
            }
            let of = |pick: fn(Words) -> &'static str| all.iter().map(|it| pick(words(*it))).collect::<BTreeSet<_>>();
            assert_eq!((of(|it| it.en).len(), of(|it| it.es).len()), (all.len(), all.len()));
        }
        distinct(&Category::ALL, Category::code, Category::words);
        distinct(&Category::ALL, Category::code, Category::examples);
        distinct(&Source::ALL, Source::code, Source::words);
        distinct(&Purpose::ALL, Purpose::code, Purpose::words);
        distinct(&Recipient::ALL, Recipient::code, Recipient::words);
        let cited: BTreeSet<_> = Category::ALL.map(Category::citation).into();
        assert_eq!(cited.len(), 12);
    }

    #[test]
    fn rights_follow_from_what_is_taken_and_from_the_laws() {
        let on = jiff::civil::date(2026, 11, 22);
        let kinds: BTreeSet<Kind> = Kind::ALL.into_iter().collect();
        let of = |places: &[Jurisdiction]| rights(&kinds, places, on);
        let names = |rights: &[Right]| rights.iter().map(|it| it.right).collect::<Vec<_>>();
        let california = of(&[]);
        let expected = [
            RightTo::Know,
            RightTo::Access,
            RightTo::Delete,
            RightTo::Correct,
            RightTo::OptOut,
            RightTo::Limit,
            RightTo::Agent,
            RightTo::NoRetaliation,
        ];
        assert_eq!(names(&california), expected);
        assert!(california.iter().all(|it| it.places == [Jurisdiction::UsCa] && it.right.citation().is_some()));
        let both = of(&[Jurisdiction::UsCa, Jurisdiction::UsVa]);
        assert!(names(&both).contains(&RightTo::Appeal));
        let limit = both.iter().find(|it| it.right == RightTo::Limit).unwrap();
        assert_eq!(limit.places, [Jurisdiction::UsCa]);
        let virginia = of(&[Jurisdiction::UsVa]);
        assert!(!names(&virginia).contains(&RightTo::NoRetaliation));
        assert_eq!(virginia.iter().find(|it| it.right == RightTo::Limit).unwrap().places, []);
        assert_eq!(names(&rights(&BTreeSet::from([Kind::Message]), &[Jurisdiction::UsVa], on)), [RightTo::Appeal]);
    }

    #[test]
    fn ways_to_ask_follow_from_what_is_taken() {
        let opt_out = BTreeSet::from([Kind::OptOut]);
        assert_eq!(methods(&opt_out, true), [Method::Form, Method::Telephone, Method::Choices, Method::Signal]);
        assert_eq!(methods(&BTreeSet::from([Kind::Limit]), false), [Method::Form, Method::Choices]);
        assert_eq!(methods(&BTreeSet::from([Kind::Delete]), false), [Method::Form]);
    }

    /// Whatever somebody may choose.
    pub(crate) fn any_notice() -> impl Strategy<Value = Notice> {
        let subset = |n: usize| prop::collection::btree_set(0..n, 0..4);
        let flags = any::<(bool, bool, bool)>();
        let one = (0..12_usize, subset(9), subset(10), subset(9), subset(9), flags, 0..700_u16);
        let one = one.prop_map(|(category, sources, purposes, third, disclosed, (sold, shared, customer), months)| {
            Collected {
                category: Category::ALL[category],
                sources: sources.into_iter().map(|at| Source::ALL[at]).collect(),
                purposes: purposes.into_iter().map(|at| Purpose::ALL[at]).collect(),
                sold,
                shared,
                third_parties: third.into_iter().map(|at| Recipient::ALL[at]).collect(),
                disclosed_to: disclosed.into_iter().map(|at| Recipient::ALL[at]).collect(),
                while_customer: customer,
                kept_months: months,
            }
        });
        (prop::collection::vec(one, 0..5), any::<(bool, bool)>()).prop_map(|(collected, (under_16, infers))| Notice {
            under_16,
            infers,
            ..notice(collected)
        })
    }

    proptest! {
        #[test]
        fn a_notice_that_is_taken_says_of_everything_where_what_for_to_whom_and_how_long(notice in any_notice()) {
            let stored = serde_json::to_string(&notice).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Notice>(&stored).unwrap(), &notice);
            if notice.validate().is_ok() {
                for it in &notice.collected {
                    prop_assert!(!it.sources.is_empty() && !it.purposes.is_empty());
                    prop_assert_eq!(it.sold || it.shared, !it.third_parties.is_empty());
                    prop_assert!(!it.third_parties.contains(&Recipient::ServiceProvider));
                    prop_assert!(it.while_customer || (1..=LONGEST_KEPT).contains(&it.kept_months));
                }
            }
        }
    }
}
