//! What an address of AWS tells of what is behind it.

use url::{Host, Url};

use super::AwsService;

/// What an address of AWS tells. Names of one's own tell nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsAddress {
    /// The service.
    pub service: AwsService,
    /// The region.
    pub region: String,
    /// The domain's name, or the collection's id.
    pub name: String,
}

impl AwsAddress {
    /// Understands `search-NAME-….REGION.es.amazonaws.com` and its like.
    ///
    /// ```
    /// use snapfill::cluster::aws::AwsAddress;
    ///
    /// let url = "https://search-books-abcdefghijklmnopqrstuvwxyz.eu-west-1.es.amazonaws.com".parse()?;
    /// let address = AwsAddress::of(&url).expect("an address of AWS");
    /// assert_eq!((address.name.as_str(), address.region.as_str()), ("books", "eu-west-1"));
    /// # Ok::<(), url::ParseError>(())
    /// ```
    pub fn of(url: &Url) -> Option<Self> {
        let Some(Host::Domain(host)) = url.host() else { return None };
        let (first, region, service) = parts(host)?;
        let service = match service {
            "es" | "aos" => AwsService::Domain,
            "aoss" => AwsService::Serverless,
            _ => return None,
        };
        let name = match service {
            AwsService::Serverless => first,
            AwsService::Domain => {
                let of_domain =
                    ["search-", "vpc-"].iter().find_map(|kind| first.strip_prefix(kind));
                // Behind the name stands what makes it one of a kind.
                of_domain?.rsplit_once('-')?.0
            }
        };
        Some(Self { service, region: region.to_owned(), name: name.to_owned() })
    }
}

/// The first label, the region and the service.
fn parts(host: &str) -> Option<(&str, &str, &str)> {
    let old = host.strip_suffix(".cn").unwrap_or(host).strip_suffix(".amazonaws.com");
    if let Some(rest) = old {
        let mut labels = rest.splitn(3, '.');
        return Some((labels.next()?, labels.next()?, labels.next()?));
    }
    let rest = host.strip_suffix(".on.aws")?;
    let mut labels = rest.splitn(3, '.');
    let (first, service, region) = (labels.next()?, labels.next()?, labels.next()?);
    Some((first, region, service))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(host: &str) -> Option<(AwsService, String, String)> {
        let address = AwsAddress::of(&Url::parse(&format!("https://{host}:443/")).unwrap())?;
        Some((address.service, address.region, address.name))
    }

    #[test]
    fn addresses_tell_service_region_and_name() {
        let random = "abcdefghijklmnopqrstuvwxyz";
        let known =
            |service, region: &str, name: &str| Some((service, region.to_owned(), name.to_owned()));
        let domain = |region, name| known(AwsService::Domain, region, name);
        assert_eq!(
            told(&format!("search-my-books-{random}.eu-west-1.es.amazonaws.com")),
            domain("eu-west-1", "my-books")
        );
        assert_eq!(
            told(&format!("vpc-books-{random}.cn-north-1.es.amazonaws.com.cn")),
            domain("cn-north-1", "books")
        );
        assert_eq!(
            told(&format!("search-books-{random}.aos.us-east-1.on.aws")),
            domain("us-east-1", "books")
        );
        let collection = known(AwsService::Serverless, "us-east-2", "07tjusf2h91cunochc");
        assert_eq!(told("07tjusf2h91cunochc.us-east-2.aoss.amazonaws.com"), collection);
        for other in [
            "search.example.com",
            "amazonaws.com",
            "s3.eu-west-1.amazonaws.com",
            "x.es.amazonaws.com",
        ] {
            assert_eq!(told(other), None, "{other}");
        }
        assert_eq!(AwsAddress::of(&Url::parse("http://127.0.0.1:9200").unwrap()), None);
    }
}
